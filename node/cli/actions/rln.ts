import { existsSync } from 'node:fs'
import { isPostriderError, PostriderError } from '@postrider/protocol/errors'
import { createIdentity } from '@postrider/protocol/rln'
import { rlnState } from '../../api/schemas/rln.ts'
import { callOf } from '../../chain/contracts.ts'
import { type Config, configPaths } from '../../core/config/index.ts'
import { PRIVATE_FILE_MODE, writeFileAtomic } from '../../core/files.ts'
import {
  createKeyFile,
  decryptRlnSecret,
  encryptRlnMembership,
  formatRlnKeystore,
  type KeystoreStrength,
  parseRlnKeystore,
  type RlnKeystore,
  readKeyFile,
} from '../../core/keystore.ts'
import { postJson } from '../../operator/amounts.ts'
import type { Member } from '../../operator/chain-reader.ts'
import { anyFailed, type Check, failed, ok } from '../../operator/checks.ts'
import type { Plan, Step } from '../../operator/plan.ts'
import { counted, duration, post, time } from '../../operator/text.ts'
import { type Cli, encodeForJson, type Outcome } from '../cli.ts'
import type { SendOptions } from '../command.ts'
import { type ChainContext, withChain } from '../context.ts'
import { carryOut } from '../plan.ts'
import { fields } from '../render.ts'
import { keystorePassword, openApi } from '../session.ts'

export type RegisterOptions = SendOptions & { kdf: KeystoreStrength }

/** Gas of a registration when it cannot be simulated; contracts/snapshots/gas.json has 80,812, a first one pays more. */
const ASSUMED_REGISTER_GAS = 150_000n

export function rlnStatus(cli: Cli): Promise<Outcome> {
  return withChain(cli, (context) => status(cli, context))
}

export function rlnRegister(cli: Cli, limit: string, options: RegisterOptions): Promise<Outcome> {
  return withChain(cli, (context) => register(cli, context, limit, options))
}

export function rlnLeave(cli: Cli, options: SendOptions): Promise<Outcome> {
  return withChain(cli, async (context) => carryOut(cli, context, await leavePlan(context), options))
}

/** The membership on disk and what the chain says of it. */
export async function readMembership({
  config,
  chain,
}: Pick<ChainContext, 'config' | 'chain'>): Promise<
  { file: RlnKeystore; member: Member | undefined } | undefined
> {
  const { rlnKeystoreFile } = configPaths(config)
  if (!existsSync(rlnKeystoreFile)) return undefined
  const file = parseRlnKeystore(await readKeyFile(rlnKeystoreFile))
  return { file, member: await chain.member(file.commitment) }
}

async function status(cli: Cli, context: ChainContext): Promise<Outcome> {
  const { style } = cli
  const membership = await readMembership(context)
  if (!membership) {
    return { data: { state: 'none' }, text: 'No membership: postrider rln register <messages per epoch>' }
  }
  const { file, member } = membership
  const state = member?.status ?? 'not-registered'
  const { deposit } = await context.chain.membershipCost(file.limit)
  const { epochSeconds } = context.chain.network
  const withdrawableAt = member?.withdrawableAt ?? null
  const budget = await budgetNow(cli)
  return {
    data: {
      state,
      commitment: file.commitment.toString(),
      index: member?.index ?? null,
      limit: file.limit,
      epochSeconds,
      deposit: postJson(deposit),
      withdrawableAt: withdrawableAt === null ? null : new Date(withdrawableAt).toISOString(),
      ...budget.data,
    },
    text: fields(style, [
      ['state', state],
      ['commitment', file.commitment.toString()],
      ['index', member ? `${member.index}` : undefined],
      ['limit', `${counted(file.limit, 'message')} in ${duration(epochSeconds * 1000)}`],
      ['deposit', post(deposit)],
      ['free at', withdrawableAt === null ? undefined : time(withdrawableAt)],
      ['left now', budget.text],
    ]),
  }
}

/** What is left of this epoch, as the running node counts it: only it knows which ids it used. */
async function budgetNow(cli: Cli): Promise<{ data: Record<string, unknown>; text: string }> {
  try {
    const state = await (await openApi(cli)).get('/v1/rln', rlnState)
    const { budget, epoch } = encodeForJson(rlnState, state) as Record<string, unknown>
    const ends = `the epoch ends at ${time(state.epoch.endsAt)}`
    const left =
      state.budget && `${state.budget.remaining} of ${state.budget.limit}, ${state.budget.used} used`
    return { data: { budget, epoch }, text: `${left ?? 'nothing: no active membership'}; ${ends}` }
  } catch (error) {
    if (!isPostriderError(error)) throw error
    return { data: { budget: { unknown: error.message } }, text: `unknown: ${error.message}` }
  }
}

async function register(
  cli: Cli,
  context: ChainContext,
  limitText: string,
  options: RegisterOptions,
): Promise<Outcome> {
  const { config, chain } = context
  const limit = await parseLimit(context, limitText)
  const known = await readMembership(context)
  const plan = await registerPlan(context, limit, known)
  if (options.dryRun || anyFailed(plan.checks)) return carryOut(cli, context, plan, options)
  const password = await keystorePassword(cli, config, options.passwordFile)
  const file = known?.file ?? (await writeIdentity(cli, context, { limit, password, strength: options.kdf }))
  // A file that does not open must be found before the deposit depends on it.
  await decryptRlnSecret(file, password)
  return carryOut(cli, context, await registerPlan(context, limit, { file, member: undefined }), {
    ...options,
    onDone: async () => {
      const member = await chain.member(file.commitment)
      if (member) await rememberIndex(config, file, member.index)
      return { index: member?.index ?? null }
    },
  })
}

async function parseLimit({ chain }: ChainContext, text: string): Promise<number> {
  const { maximum } = await chain.membershipParameters()
  const limit = /^\d{1,6}$/.test(text) ? Number(text) : 0
  if (limit >= 1 && limit <= maximum) return limit
  throw new PostriderError('CLI_USAGE', {
    detail: `the limit is 1 to ${maximum} messages, not '${text.slice(0, 20)}'`,
  })
}

async function writeIdentity(
  { io }: Cli,
  { config, chain }: ChainContext,
  { limit, password, strength }: { limit: number; password: string; strength: KeystoreStrength },
): Promise<RlnKeystore> {
  const { secret, commitment } = createIdentity((length) => io.random.bytes(length))
  const { chainId, contracts } = chain.network
  const facts = { chainId, contract: contracts.rlnMembership, commitment, limit, index: null }
  const file = await encryptRlnMembership({ ...facts, secret }, password, strength)
  await createKeyFile(configPaths(config).rlnKeystoreFile, formatRlnKeystore(file))
  return file
}

async function rememberIndex(config: Config, file: RlnKeystore, index: number): Promise<void> {
  await writeFileAtomic(
    configPaths(config).rlnKeystoreFile,
    formatRlnKeystore({ ...file, index }),
    PRIVATE_FILE_MODE,
  )
}

async function registerPlan(
  context: ChainContext,
  limit: number,
  known: { file: RlnKeystore; member: Member | undefined } | undefined,
): Promise<Plan> {
  const { chain, account } = context
  const [{ deposit, burnt }, tokens] = await Promise.all([
    chain.membershipCost(limit),
    chain.tokensOf(account),
  ])
  const cost = deposit + burnt
  return {
    action: 'rln register',
    checks: [
      freshCheck(known, limit, chain.network),
      tokens >= cost
        ? ok('tokens', `${post(tokens)} spendable`)
        : failed('tokens', `${post(tokens)} of ${post(cost)}`, `send POST to ${account}`),
    ],
    steps: await registerSteps(context, { limit, cost, commitment: known?.file.commitment }),
    effects: [
      `${post(deposit)} are deposited and ${post(burnt)} burnt`,
      `this node may publish ${counted(limit, 'message')} an epoch for clients without a proof of their own, once it is restarted if it runs`,
      'whoever breaks the limit loses the deposit: never run two nodes with one rln.json and overlapping id ranges',
      'back up rln.json: without it the deposit is lost',
    ],
    details: { limit, deposit: postJson(deposit), burnt: postJson(burnt) },
  }
}

function freshCheck(
  known: { file: RlnKeystore; member: Member | undefined } | undefined,
  limit: number,
  { chainId, contracts }: ChainContext['chain']['network'],
): Check {
  const name = 'identity'
  if (!known) return ok(name, 'a new one is made')
  const { file, member } = known
  if (file.chainId !== chainId || file.contract.toLowerCase() !== contracts.rlnMembership.toLowerCase()) {
    return failed(name, 'rln.json belongs to another network', 'move it away, or use another data folder')
  }
  if (member) return failed(name, `rln.json is ${member.status} already`, 'postrider rln status')
  if (file.limit !== limit) {
    return failed(name, `rln.json waits for a limit of ${file.limit}`, `postrider rln register ${file.limit}`)
  }
  return ok(name, 'that of rln.json, which is not registered yet')
}

async function registerSteps(
  { chain, account }: ChainContext,
  { limit, cost, commitment }: { limit: number; cost: bigint; commitment: bigint | undefined },
): Promise<Step[]> {
  const { rlnMembership } = chain.network.contracts
  const approved = (await chain.allowance(account, rlnMembership)) >= cost
  // A dry run makes no identity, and a step after an approval cannot run before it.
  const simulable = approved && commitment !== undefined
  const register: Step = {
    label: `register for ${counted(limit, 'message')} an epoch`,
    call: callOf(chain.network, 'rlnMembership', 'register', [commitment ?? 0n, limit, account]),
    ...(simulable ? {} : { assumedGas: ASSUMED_REGISTER_GAS }),
  }
  if (approved) return [register]
  const approve: Step = {
    label: `approve ${post(cost)} for the membership contract`,
    call: callOf(chain.network, 'token', 'approve', [rlnMembership, cost]),
  }
  return [approve, register]
}

async function leavePlan(context: ChainContext): Promise<Plan> {
  const { chain } = context
  const [membership, { freezeSeconds }] = await Promise.all([
    readMembership(context),
    chain.membershipParameters(),
  ])
  const { file, member } = membership ?? {}
  return {
    action: 'rln leave',
    checks: [
      member?.status === 'active'
        ? ok('membership', `active, index ${member.index}`)
        : failed('membership', member ? `it is ${member.status}` : 'there is none', 'postrider rln status'),
    ],
    steps: [
      {
        label: 'leave the group',
        call: callOf(chain.network, 'rlnMembership', 'leaveGroup', [file?.commitment ?? 0n]),
      },
    ],
    effects: [
      'this node can no longer publish for clients without a proof of their own',
      `the deposit can be withdrawn in ${duration(freezeSeconds * 1000)}, and is at risk until then`,
    ],
    details: { freezeSeconds },
  }
}
