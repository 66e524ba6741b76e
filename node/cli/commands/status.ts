import { isPostriderError } from '@postrider/protocol/errors'
import type { Command } from 'commander'
import type { z } from 'zod'
import { chainState } from '../../api/schemas/chain.ts'
import { healthReport } from '../../api/schemas/health.ts'
import { nodeInfo, peer } from '../../api/schemas/node.ts'
import { paymentsSummary, rewards } from '../../api/schemas/payments.ts'
import { relayStats, storeStats } from '../../api/schemas/relay.ts'
import { rlnState, slashSummary } from '../../api/schemas/rln.ts'
import { counted, duration, ether, post, time } from '../../operator/text.ts'
import type { ApiClient } from '../api-client.ts'
import { type Cli, encodeForJson, type Outcome } from '../cli.ts'
import { addCommand, type Tree } from '../command.ts'
import { fields, type Style, section, sections, table } from '../render.ts'
import { openApi } from '../session.ts'

export function registerStatus(tree: Tree, program: Command): void {
  addCommand(tree, program, {
    name: 'status',
    summary: 'what the running node does, holds and earns',
    details: 'Asks the API of the node. What the node cannot say now is shown as unknown, with the reason.',
    run: async (cli) => status(cli, await openApi(cli)),
  })
}

/** An answer, or why there is none: one part that fails must not hide the others. */
type Part<T> = { value: T; problem: null } | { value: null; problem: string }

async function part<T>(promise: Promise<T>): Promise<Part<T>> {
  try {
    return { value: await promise, problem: null }
  } catch (error) {
    if (!isPostriderError(error)) throw error
    return { value: null, problem: error.message }
  }
}

async function status(cli: Cli, api: ApiClient): Promise<Outcome> {
  // Not in a part: without this answer there is no node to report on.
  const node = await api.get('/v1/node', nodeInfo)
  const [health, peers, relay, store, money, payments, rln, slashing, chain] = await Promise.all([
    part(api.get('/health', healthReport)),
    part(api.list('/v1/peers', peer)),
    part(api.get('/v1/relay', relayStats)),
    part(api.get('/v1/store', storeStats)),
    part(api.get('/v1/rewards', rewards)),
    part(api.get('/v1/payments', paymentsSummary)),
    part(api.get('/v1/rln', rlnState)),
    part(api.list('/v1/slashing', slashSummary)),
    part(api.get('/v1/chain', chainState)),
  ])
  const { style, io } = cli
  return {
    data: {
      api: api.url,
      node: encodeForJson(nodeInfo, node),
      health: show(healthReport, health),
      peers: peers.value ? peers.value.length : { unknown: peers.problem },
      relay: show(relayStats, relay),
      store: show(storeStats, store),
      rewards: show(rewards, money),
      payments: show(paymentsSummary, payments),
      rln: show(rlnState, rln),
      slashing: slashing.value
        ? slashing.value.map((entry) => encodeForJson(slashSummary, entry))
        : { unknown: slashing.problem },
      chain: show(chainState, chain),
    },
    text: sections(
      nodeText(style, node, io.clock.nowMs(), peers.value?.length),
      block(style, 'Health', health, (value) => healthText(style, value)),
      block(style, 'Traffic', relay, (value) => trafficText(style, value, store.value)),
      block(style, 'Earnings', money, (value) => rewardsText(style, value)),
      block(style, 'Payments', payments, (value) => paymentsText(style, value)),
      block(style, 'Rate limit', rln, (value) => rlnText(style, value, io.clock.nowMs())),
      block(style, 'Slashing', slashing, (value) => slashingText(style, value, money.value)),
      block(style, 'Chain', chain, (value) => chainText(style, value)),
    ),
  }
}

const show = <Schema extends z.ZodType>(schema: Schema, { value, problem }: Part<z.output<Schema>>) =>
  value === null ? { unknown: problem } : encodeForJson(schema, value)

function block<T>(
  style: Style,
  title: string,
  { value, problem }: Part<T>,
  body: (value: T) => string,
): string {
  return section(style, title, value === null ? style.yellow(`unknown: ${problem}`) : body(value))
}

function nodeText(
  style: Style,
  node: z.output<typeof nodeInfo>,
  nowMs: number,
  peers: number | undefined,
): string {
  const { stake, operator, network } = node
  const staked = stake ? `${post(stake.staked)} (${stake.state})` : 'unknown'
  const cold = operator.withdrawal ?? 'not set: stake with --withdrawal <cold address>'
  return section(
    style,
    `Node ${node.version} on ${network.name}`,
    fields(style, [
      ['peer id', node.peerId],
      ['account', operator.account],
      ['stake', staked],
      ['withdrawal', cold],
      ['services', node.services.join(', ')],
      ['peers', peers?.toString() ?? 'unknown'],
      ['up for', duration(nowMs - node.startedAt)],
    ]),
  )
}

function healthText(style: Style, { status: state, subsystems }: z.output<typeof healthReport>): string {
  const paint = { ok: style.green, degraded: style.yellow, 'not-ready': style.red }[state]
  const troubled = subsystems.filter((subsystem) => subsystem.state !== 'ok')
  const rows = troubled.map(({ name, state: word, reason, fix }) => [name, word, reason ?? '', fix ?? ''])
  return [
    paint(state),
    ...(rows.length > 0 ? [table(style, ['part', 'state', 'reason', 'fix'], rows)] : []),
  ].join('\n')
}

function trafficText(
  style: Style,
  { verdicts, byCode }: z.output<typeof relayStats>,
  store: z.output<typeof storeStats> | null,
): string {
  const reasons = byCode.map(({ kind, code, count }) => `${kind} ${code} ${count}`).join(', ')
  return fields(style, [
    ['messages', `${verdicts.accept} accepted, ${verdicts.ignore} ignored, ${verdicts.reject} rejected`],
    ['breaches', `${verdicts.breach}`],
    ['reasons', reasons === '' ? undefined : reasons],
    ['stored', store ? `${counted(store.messages, 'message')}, ${counted(store.bytes, 'byte')}` : 'unknown'],
  ])
}

const NOUNS = { channels: 'channel', slashing: 'case' } as const

/** Earnings by source: shared with `postrider rewards`. */
export function rewardsText(style: Style, { total, sources }: z.output<typeof rewards>): string {
  const row = (name: string, part: typeof total) => [
    name,
    post(part.earned),
    post(part.claimed),
    post(part.pending),
    post(part.redeemable),
  ]
  const rows = [...sources.map((source) => row(source.source, source)), row('total', total)]
  const held = sources.flatMap((source) =>
    source.held.map(
      ({ amount, items, reason }) =>
        `held back: ${post(amount)} in ${counted(items, NOUNS[source.source])}: ${reason.text} (${reason.code})`,
    ),
  )
  return [table(style, ['source', '>earned', '>claimed', '>pending', '>claimable now'], rows), ...held].join(
    '\n',
  )
}

function paymentsText(
  style: Style,
  { mode, channels, requests, unpaid, unpaidLimit, queue }: z.output<typeof paymentsSummary>,
): string {
  const { proposed, sending } = queue
  const waiting = proposed.count > 0 ? style.yellow(' (postrider rewards queue)') : ''
  return fields(style, [
    ['channels', `${channels.open} open, ${channels.closing} closing, ${channels.closed} closed`],
    ['requests', `${requests.paid} paid, ${requests.free} free, ${requests.refused} refused`],
    ['at risk', `${post(unpaid)} served and not paid, at most ${post(unpaidLimit)} a client`],
    ['redemption', mode],
    ['queue', `${proposed.count} to approve, ${post(proposed.amount)}${waiting}`],
    ['', `${sending.count} on the way, ${post(sending.amount)}`],
  ])
}

function rlnText(
  style: Style,
  { membership, budget, epoch, tree }: z.output<typeof rlnState>,
  nowMs: number,
): string {
  const limit = membership.limit === null ? '' : `, ${counted(membership.limit, 'message')} an epoch`
  return fields(style, [
    ['membership', `${membership.state}${limit}`],
    ['left now', budget ? `${budget.remaining} of ${budget.limit}, ${budget.used} used` : undefined],
    ['epoch', `${epoch.number}, ends in ${duration(epoch.endsAt - nowMs)}, at ${time(epoch.endsAt)}`],
    ['members', `${tree.members}`],
  ])
}

function slashingText(
  style: Style,
  cases: readonly z.output<typeof slashSummary>[],
  money: z.output<typeof rewards> | null,
): string {
  const source = money?.sources.find(({ source: name }) => name === 'slashing')
  const open = cases.filter(
    ({ state }) => state === 'found' || state === 'committed' || state === 'revealable',
  )
  return fields(style, [
    ['cases', cases.length === 0 ? 'no breach found' : `${cases.length}, ${open.length} open`],
    ['earned', source ? post(source.claimed) : 'unknown'],
    ['pending', source ? post(source.pending) : 'unknown'],
  ])
}

function chainText(
  style: Style,
  { head, lagSeconds, account, pending, connected }: z.output<typeof chainState>,
): string {
  const gas = account && `${ether(account.ether)}${account.low ? style.red(' (low: send ETH)') : ''}`
  return fields(style, [
    ['state', connected ? 'connected' : style.red('no endpoint answers')],
    ['head', head ? `${head.number}, ${duration((lagSeconds ?? 0) * 1000)} old` : 'unknown'],
    ['for gas', gas ?? 'unknown'],
    ['transactions', `${pending.length} waiting`],
  ])
}
