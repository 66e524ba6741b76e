import { postJson } from '../../operator/amounts.ts'
import type { RegisteredNode } from '../../operator/chain-reader.ts'
import type { Plan } from '../../operator/plan.ts'
import { addPlan, exitPlan, registerPlan, updatePlan, withdrawPlan } from '../../operator/stake-plans.ts'
import { duration, post, time } from '../../operator/text.ts'
import { parseAmountArgument } from '../amounts.ts'
import { parseAddress } from '../chain.ts'
import type { Cli, Outcome } from '../cli.ts'
import type { SendOptions } from '../command.ts'
import { type ChainContext, withChain } from '../context.ts'
import { carryOut } from '../plan.ts'
import { fields, type Style } from '../render.ts'

export function stakeStatus(cli: Cli): Promise<Outcome> {
  return withChain(cli, (context) => status(cli, context))
}

export function stakeRegister(
  cli: Cli,
  amount: string,
  options: SendOptions & { withdrawal: string; endpoint?: string[] },
): Promise<Outcome> {
  const withdrawal = parseAddress(options.withdrawal, '--withdrawal')
  return send(cli, options, (context) =>
    registerPlan(context, parseAmountArgument(amount), { ...options, withdrawal }),
  )
}

export function stakeAdd(cli: Cli, amount: string, options: SendOptions): Promise<Outcome> {
  return send(cli, options, (context) => addPlan(context, parseAmountArgument(amount)))
}

export const stakeUpdate = (cli: Cli, options: SendOptions): Promise<Outcome> =>
  send(cli, options, updatePlan)

export const stakeExit = (cli: Cli, options: SendOptions): Promise<Outcome> => send(cli, options, exitPlan)

export const stakeWithdraw = (cli: Cli, options: SendOptions): Promise<Outcome> =>
  send(cli, options, withdrawPlan)

function send(
  cli: Cli,
  options: SendOptions,
  plan: (context: ChainContext) => Promise<Plan>,
): Promise<Outcome> {
  return withChain(cli, async (context) => carryOut(cli, context, await plan(context), options))
}

const stakeState = (node: RegisteredNode | undefined, minimum: bigint): string => {
  if (!node) return 'none'
  if (node.exitAt !== null) return 'exiting'
  return node.stake >= minimum ? 'active' : 'below-minimum'
}

async function status({ style, io }: Cli, { chain, account }: ChainContext): Promise<Outcome> {
  const [node, { minimum, unbondingSeconds }, tokens] = await Promise.all([
    chain.node(account),
    chain.registryParameters(),
    chain.tokensOf(account),
  ])
  const state = stakeState(node, minimum)
  return {
    data: {
      account,
      state,
      staked: postJson(node?.stake ?? 0n),
      minimum: postJson(minimum),
      spendable: postJson(tokens),
      unbondingSeconds,
      withdrawal: node?.withdrawal ?? null,
      pendingWithdrawal: node?.pendingWithdrawal ?? null,
      locks: node?.locks ?? 0,
      withdrawableAt: node?.exitAt ? new Date(node.exitAt).toISOString() : null,
      peerId: node?.peerId ?? null,
      endpoints: node?.endpoints ?? [],
    },
    text: fields(style, [
      ['account', account],
      ['state', state],
      ['staked', `${post(node?.stake ?? 0n)} (at least ${post(minimum)})`],
      ['spendable', post(tokens)],
      ['returns to', node ? withdrawalText(style, node, account) : undefined],
      ['held by disputes', node ? `${node.locks}` : undefined],
      [
        'free at',
        node?.exitAt ? `${time(node.exitAt)}${waitText(node.exitAt, io.clock.nowMs())}` : undefined,
      ],
      ['unbonding', duration(unbondingSeconds * 1000)],
      ['endpoints', node?.endpoints.join('\n                  ')],
    ]),
  }
}

const waitText = (atMs: number, nowMs: number): string =>
  atMs > nowMs ? `, in ${duration(atMs - nowMs)}` : ', now'

function withdrawalText(
  style: Style,
  { withdrawal, pendingWithdrawal }: RegisteredNode,
  account: string,
): string {
  const hot = withdrawal.toLowerCase() === account.toLowerCase()
  const pending = pendingWithdrawal ? `; ${pendingWithdrawal} has yet to confirm` : ''
  return `${withdrawal}${hot ? style.yellow(' (the hot account: name a cold one)') : ''}${pending}`
}
