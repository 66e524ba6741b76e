import { PostriderError } from '@postrider/protocol/errors'
import { callOf } from '../chain/contracts.ts'
import type { Config } from '../core/config/index.ts'
import { type AmountArgument, postJson, resolveAmount } from './amounts.ts'
import type { RegisteredNode } from './chain-reader.ts'
import { type Check, failed, ok, warning } from './checks.ts'
import type { Plan, Step } from './plan.ts'
import { counted, duration, post, time } from './text.ts'
import type { ChainPlanContext, PlanContext } from './types.ts'

/**
 * Gas when a step cannot be simulated before its approval is mined. contracts/snapshots/gas.json has 350,036 for a
 * registration; a longer list of endpoints costs more.
 */
const ASSUMED_REGISTER_GAS = 600_000n
const ASSUMED_ADD_GAS = 100_000n

const SERVICE_BITS = { relay: 1, store: 2, lightpush: 4, filter: 8 } as const

export async function registerPlan(
  context: PlanContext,
  argument: AmountArgument,
  options: { withdrawal: `0x${string}`; endpoint?: string[] },
): Promise<Plan> {
  const { chain, account, config } = context
  const { withdrawal } = options
  const [node, { minimum, unbondingSeconds }, tokens] = await Promise.all([
    chain.node(account),
    chain.registryParameters(),
    chain.tokensOf(account),
  ])
  const amount = resolveAmount(argument, tokens)
  const peerKey = await context.peerKey()
  const holder = await chain.operatorOf(peerKey)
  const endpoints = options.endpoint ?? endpointsOf(config)
  const registration = {
    peerKey,
    signer: account,
    withdrawal,
    services: serviceBits(config),
    endpoints,
    prices: config.prices,
  }
  return {
    action: 'stake register',
    checks: [
      unregistered(node),
      freePeerId(holder),
      enough(tokens, amount, account),
      atLeast(minimum, amount),
      coldWithdrawal(withdrawal, account),
      diallable(endpoints),
    ],
    steps: await withApproval(context, amount, {
      label: `register with ${post(amount)}`,
      call: callOf(chain.network, 'nodeRegistry', 'register', [registration, amount]),
      assumedGas: ASSUMED_REGISTER_GAS,
    }),
    effects: [
      `${post(amount)} move from ${account} into the stake of this node`,
      `they return only to ${withdrawal}, ${duration(unbondingSeconds * 1000)} after an announced exit`,
    ],
    details: { amount: postJson(amount), withdrawal, endpoints },
  }
}

export async function addPlan(context: ChainPlanContext, argument: AmountArgument): Promise<Plan> {
  const { chain, account } = context
  const [node, tokens] = await Promise.all([chain.node(account), chain.tokensOf(account)])
  const amount = resolveAmount(argument, tokens)
  return {
    action: 'stake add',
    checks: [registered(node), notLeaving(node), enough(tokens, amount, account)],
    steps: await withApproval(context, amount, {
      label: `add ${post(amount)}`,
      call: callOf(chain.network, 'nodeRegistry', 'addStake', [account, amount]),
      assumedGas: ASSUMED_ADD_GAS,
    }),
    effects: [`the stake becomes ${post((node?.stake ?? 0n) + amount)}`],
    details: { amount: postJson(amount) },
  }
}

/** The call, preceded by an approval of exactly what is missing; with the allowance in place it can be simulated. */
async function withApproval(
  { chain, account }: ChainPlanContext,
  amount: bigint,
  step: Step,
): Promise<Step[]> {
  const { nodeRegistry } = chain.network.contracts
  if ((await chain.allowance(account, nodeRegistry)) >= amount) {
    const { assumedGas: _, ...simulated } = step
    return [simulated]
  }
  return [
    {
      label: `approve ${post(amount)} for the registry`,
      call: callOf(chain.network, 'token', 'approve', [nodeRegistry, amount]),
    },
    step,
  ]
}

export async function updatePlan(context: PlanContext): Promise<Plan> {
  const { chain, account, config } = context
  const node = await chain.node(account)
  const peerKey = await context.peerKey()
  const wanted = { endpoints: endpointsOf(config), services: serviceBits(config), prices: config.prices }
  const { network } = chain
  const steps: Step[] = []
  const add = (label: string, call: Step['call']) => steps.push({ label, call })
  if (node && wanted.endpoints.length > 0 && !sameList(node.endpoints, wanted.endpoints)) {
    const call = callOf(network, 'nodeRegistry', 'updateEndpoints', [wanted.endpoints])
    add(`endpoints: ${wanted.endpoints.join(', ')}`, call)
  }
  if (node && !samePrices(node.prices, wanted.prices)) {
    const { publish, query, push } = wanted.prices
    const call = callOf(network, 'nodeRegistry', 'updatePrices', [wanted.prices])
    add(`prices: ${post(publish)}, ${post(query)}, ${post(push)}`, call)
  }
  if (node && node.services !== wanted.services) {
    const call = callOf(network, 'nodeRegistry', 'updateServices', [wanted.services])
    add(`services: ${serviceNames(wanted.services)}`, call)
  }
  if (node && node.peerKey !== peerKey) {
    add('the peer id of this node', callOf(network, 'nodeRegistry', 'updatePeerKey', [peerKey]))
  }
  return {
    action: 'stake update',
    checks: [registered(node)],
    steps,
    effects: steps.map(({ label }) => `the registry says ${label}`),
    details: {},
  }
}

export async function exitPlan({ chain, account }: ChainPlanContext): Promise<Plan> {
  const [node, { unbondingSeconds }] = await Promise.all([chain.node(account), chain.registryParameters()])
  return {
    action: 'stake exit',
    checks: [registered(node), notLeaving(node)],
    steps: [
      {
        label: 'announce the exit',
        call: callOf(chain.network, 'nodeRegistry', 'announceExit', [account]),
      },
    ],
    effects: [
      'clients stop choosing this node',
      `${post(node?.stake ?? 0n)} can be withdrawn in ${duration(unbondingSeconds * 1000)}`,
      'only the withdrawal address can call the exit off',
    ],
    details: { stake: postJson(node?.stake ?? 0n), unbondingSeconds },
  }
}

/** The stake's part of a withdrawal; shared with `postrider withdraw`. */
export async function withdrawPlan({ chain, account }: ChainPlanContext): Promise<Plan> {
  const [node, { timestamp }] = await Promise.all([chain.node(account), chain.newestBlock()])
  return {
    action: 'stake withdraw',
    checks: [registered(node), unbonded(node, timestamp * 1000), unlocked(node)],
    steps: [
      {
        label: `withdraw ${post(node?.stake ?? 0n)}`,
        call: callOf(chain.network, 'nodeRegistry', 'withdrawStake', [account]),
      },
    ],
    effects: [`${post(node?.stake ?? 0n)} move to ${node?.withdrawal}`, 'this node is no longer registered'],
    details: { amount: postJson(node?.stake ?? 0n), receiver: node?.withdrawal ?? null },
  }
}

function unregistered(node: RegisteredNode | undefined): Check {
  if (!node) return ok('registration', 'this account is not registered yet')
  return failed('registration', `already registered with ${post(node.stake)}`, 'postrider stake add <amount>')
}

function freePeerId(holder: string | undefined): Check {
  if (holder === undefined) return ok('peer id', 'free')
  return failed('peer id', `held by ${holder}`, 'use another data folder, or the account that registered it')
}

function atLeast(minimum: bigint, amount: bigint): Check {
  if (amount >= minimum) return ok('minimum', `${post(minimum)}`)
  return failed('minimum', `${post(amount)} of at least ${post(minimum)}`, `stake ${post(minimum)} or more`)
}

function coldWithdrawal(withdrawal: string, account: string): Check {
  const name = 'withdrawal'
  if (withdrawal.toLowerCase() !== account.toLowerCase()) return ok(name, 'another account than the hot one')
  return warning(
    name,
    'it is the hot account: whoever takes this machine takes the stake',
    'name a cold address',
  )
}

function diallable(endpoints: readonly string[]): Check {
  if (endpoints.length > 0) return ok('endpoints', endpoints.join(', '))
  return failed(
    'endpoints',
    'none that clients can dial: a fixed port, and not 0.0.0.0 or ::',
    'set announce in config.json, or pass --endpoint',
  )
}

function registered(node: RegisteredNode | undefined): Check {
  if (node) return ok('registration', `registered with ${post(node.stake)}`)
  return failed('registration', 'this account is not registered', 'postrider stake register <amount>')
}

function notLeaving(node: RegisteredNode | undefined): Check {
  if (node === undefined || node.exitAt === null) return ok('exit', 'none was announced')
  return failed(
    'exit',
    `announced; the stake is free at ${time(node.exitAt)}`,
    'postrider stake withdraw, when due',
  )
}

function unbonded(node: RegisteredNode | undefined, nowMs: number): Check {
  if (!node || node.exitAt === null)
    return failed('unbonding', 'no exit was announced', 'postrider stake exit')
  if (node.exitAt <= nowMs) return ok('unbonding', 'over')
  return failed('unbonding', `over at ${time(node.exitAt)}`, `wait ${duration(node.exitAt - nowMs)}`)
}

function unlocked(node: RegisteredNode | undefined): Check {
  if (!node || node.locks === 0) return ok('disputes', 'none holds the stake')
  return failed('disputes', `${counted(node.locks, 'dispute')} hold the stake`, 'wait for the decision')
}

function enough(tokens: bigint, amount: bigint, account: string): Check {
  if (amount === 0n) return failed('tokens', 'there are none', `send POST to ${account}`)
  if (tokens >= amount) return ok('tokens', `${post(tokens)} spendable`)
  return failed('tokens', `${post(tokens)} of ${post(amount)}`, `send POST to ${account}`)
}

/** A port that changes at each start, or every interface of this machine: good to listen on, not to dial. */
const NOT_DIALLABLE = /\/tcp\/0(\/|$)|^\/ip4\/0\.0\.0\.0\/|^\/ip6\/::\//

/** Where clients are told to dial: what is announced, else what is listened on and can be dialled. */
function endpointsOf({ announce, listen }: Config): string[] {
  return announce.length > 0 ? [...announce] : listen.filter((multiaddr) => !NOT_DIALLABLE.test(multiaddr))
}

function serviceBits({ services }: Config): number {
  const names = Object.keys(SERVICE_BITS) as (keyof typeof SERVICE_BITS)[]
  const bits = names.reduce((sum, name) => (services[name] ? sum | SERVICE_BITS[name] : sum), 0)
  if (bits === 0) throw new PostriderError('CONFIG_INVALID', { detail: 'every service is switched off' })
  return bits
}

const serviceNames = (bits: number): string =>
  Object.entries(SERVICE_BITS)
    .filter(([, bit]) => (bits & bit) !== 0)
    .map(([name]) => name)
    .join(', ')

const sameList = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((item, at) => item === b[at])

const samePrices = (a: RegisteredNode['prices'], b: Config['prices']): boolean =>
  a.publish === b.publish && a.query === b.query && a.push === b.push
