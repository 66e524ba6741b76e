import type { ChannelDescriptor } from '@postrider/protocol/payment'
import type { Hex } from '@postrider/protocol/wire'
import type { ChainClient } from './client.ts'
import { AUDIT_PAGE } from './constants.ts'
import { readContract } from './contracts.ts'
import { readArgs } from './event-args.ts'
import { inconsistent } from './follower-rules.ts'
import type { ChainEvent, Projection } from './types.ts'

export type ChannelStatus = 'open' | 'closing' | 'closed'

/** A payment channel to this node as the contract has it. Hex is lower-case. */
export type Channel = {
  readonly descriptor: ChannelDescriptor
  /** As of the newest block: a request to close counts before it has its confirmations. */
  readonly status: ChannelStatus
  /** Base units under enough confirmations. */
  readonly deposit: bigint
  /** Total claimed since the channel was opened, the burnt share included; confirmed. */
  readonly settled: bigint
  /** Earliest withdrawal by the payer, Unix seconds; 0 unless closing. */
  readonly closeAt: number
}

export type Channels = {
  /** Undefined when it is not on chain or has too few confirmations. */
  channel(channelId: Hex): Channel | undefined
  /** Every channel to this node, closed ones included, oldest first. */
  all(): ReadonlyMap<Hex, Channel>
  /** Called after a change of a channel, a reorganisation included; returns the way to stop it. */
  subscribe(listener: (channelId: Hex) => void): () => void
}

/** The contract's own figures of one channel. */
export type ChannelState = { deposit: bigint; settled: bigint; closeAt: number; status: number }

export type ChannelsOptions = {
  /** Reads the contract's figures, for audits; absent: there is no contract to compare with. */
  contractState?(channelIds: readonly Hex[], block: number): Promise<ChannelState[]>
}

/** The contract's numbers of the states. */
const STATUS_NUMBER: { [status in ChannelStatus]: number } = { open: 1, closing: 2, closed: 3 }

const NO_CHANNELS: ReadonlyMap<Hex, Channel> = new Map()

export function createChannels(options: ChannelsOptions = {}): { view: Channels; projection: Projection } {
  const { contractState } = options
  let confirmed = NO_CHANNELS
  let unconfirmed: readonly ChainEvent[] = []
  /** `confirmed` with the endings among `unconfirmed`. */
  let shown = NO_CHANNELS
  const listeners = new Set<(channelId: Hex) => void>()

  /** @param touched every channel that may differ: the others are too many to be compared at each block */
  const show = (next: ReadonlyMap<Hex, Channel>, touched: Iterable<Hex>): void => {
    const before = shown
    shown = next
    const changed = [...new Set(touched)].filter((id) => !sameChannel(before.get(id), next.get(id)))
    for (const id of changed) for (const listener of listeners) listener(id)
  }

  const projection: Projection = {
    apply(events) {
      if (!events.some(isOurs)) return
      confirmed = reduceAll(confirmed, events)
      show(withEndings(confirmed, unconfirmed), idsOf([...events, ...unconfirmed]))
    },
    reset(events) {
      unconfirmed = []
      confirmed = reduceAll(NO_CHANNELS, events)
      show(confirmed, [...shown.keys(), ...confirmed.keys()])
    },
    peek(events) {
      const touched = idsOf([...unconfirmed, ...events])
      unconfirmed = events.filter(isOurs)
      if (touched.size > 0) show(withEndings(confirmed, unconfirmed), touched)
    },
    ...(contractState && {
      verify: (events: readonly ChainEvent[], block: number) =>
        auditChannels(touched(confirmed, events), contractState, block),
      audit: (block: number) => auditChannels(confirmed, contractState, block),
    }),
  }

  const view: Channels = {
    channel: (channelId) => shown.get(channelId.toLowerCase() as Hex),
    all: () => shown,
    subscribe(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
  return { view, projection }
}

/** Reads the contract's figures over JSON-RPC. */
export function readChannelStates(client: ChainClient): NonNullable<ChannelsOptions['contractState']> {
  return async (channelIds, block) => [
    ...(await readContract(client, 'paymentChannels', 'channels', [channelIds], block)),
  ]
}

/** The channel after one more event about it. */
export function reduceChannel(channel: Channel | undefined, event: ChainEvent): Channel | undefined {
  const args = readArgs(event)
  if (event.name === 'ChannelOpened') return opened(event)
  if (!channel) return undefined
  switch (event.name) {
    case 'ChannelToppedUp':
      return { ...channel, deposit: args.amount('deposit') }
    case 'Settled':
      return { ...channel, settled: args.amount('settled') }
    case 'CloseRequested':
      if (channel.status === 'closed') return channel
      return { ...channel, status: 'closing', closeAt: args.count('closeAt') }
    case 'ChannelClosed':
    case 'ChannelWithdrawn':
      return { ...channel, status: 'closed', closeAt: 0, settled: args.amount('settled') }
    default:
      return channel
  }
}

function opened(event: ChainEvent): Channel {
  const args = readArgs(event)
  const [payer, payee, signer, salt] = [
    args.hex('payer'),
    args.hex('payee'),
    args.hex('signer'),
    args.hex('salt'),
  ]
  return {
    descriptor: { payer, payee, signer, salt },
    status: 'open',
    deposit: args.amount('deposit'),
    settled: 0n,
    closeAt: 0,
  }
}

function isOurs(event: ChainEvent): boolean {
  return event.contract === 'paymentChannels'
}

function reduceAll(
  channels: ReadonlyMap<Hex, Channel>,
  events: readonly ChainEvent[],
): ReadonlyMap<Hex, Channel> {
  const next = new Map(channels)
  for (const event of events.filter(isOurs)) {
    const id = readArgs(event).hex('channelId')
    const channel = reduceChannel(next.get(id), event)
    if (channel) next.set(id, channel)
  }
  return next
}

/** The channels that the events are about, as they are after them. */
function touched(
  channels: ReadonlyMap<Hex, Channel>,
  events: readonly ChainEvent[],
): ReadonlyMap<Hex, Channel> {
  const known = [...idsOf(events)].flatMap((id) => {
    const channel = channels.get(id)
    return channel ? [[id, channel] as const] : []
  })
  return reduceAll(new Map(known), events)
}

function idsOf(events: readonly ChainEvent[]): Set<Hex> {
  return new Set(events.filter(isOurs).map((event) => readArgs(event).hex('channelId')))
}

/** Money counts when confirmed; an ending counts at once, because serving on would be at our risk. */
function withEndings(
  confirmed: ReadonlyMap<Hex, Channel>,
  events: readonly ChainEvent[],
): ReadonlyMap<Hex, Channel> {
  if (events.length === 0) return confirmed
  const next = new Map(confirmed)
  for (const [id, ahead] of touched(confirmed, events)) {
    const channel = confirmed.get(id)
    if (channel) next.set(id, { ...channel, status: ahead.status, closeAt: ahead.closeAt })
  }
  return next
}

function sameChannel(a: Channel | undefined, b: Channel | undefined): boolean {
  if (a === b) return true
  if (!a || !b) return false
  return (
    a.status === b.status && a.deposit === b.deposit && a.settled === b.settled && a.closeAt === b.closeAt
  )
}

async function auditChannels(
  channels: ReadonlyMap<Hex, Channel>,
  contractState: NonNullable<ChannelsOptions['contractState']>,
  block: number,
): Promise<void> {
  const open = [...channels].filter(([, { status }]) => status !== 'closed')
  for (let at = 0; at < open.length; at += AUDIT_PAGE) {
    const page = open.slice(at, at + AUDIT_PAGE)
    const states = await contractState(
      page.map(([id]) => id),
      block,
    )
    for (const [position, [id, channel]] of page.entries()) {
      if (!matches(channel, states[position])) {
        throw inconsistent(`channel ${id} differs from the contract's at block ${block}`)
      }
    }
  }
}

function matches(channel: Channel, state: ChannelState | undefined): boolean {
  return (
    state !== undefined &&
    state.status === STATUS_NUMBER[channel.status] &&
    state.deposit === channel.deposit &&
    state.settled === channel.settled &&
    state.closeAt === channel.closeAt
  )
}
