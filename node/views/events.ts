import type { PeerId } from '@libp2p/interface'
import type { Hex } from '@postrider/protocol/wire'
import type { Actions, EventsView, NodeEvent } from '../api/types.ts'
import { recordPaid } from '../payments/account.ts'
import type { AccountRecord } from '../payments/index.ts'
import { isConnected, toBlock } from './chain-readings.ts'
import { EVENT_TICK_MS } from './constants.ts'
import type { Redemptions } from './redemptions.ts'
import { createRelayView } from './relay.ts'
import { budgetOf, epochOf } from './rln.ts'
import { toSlashSummary } from './slashing.ts'
import type { NodeParts } from './types.ts'

export type EventsParts = Pick<
  NodeParts,
  | 'actions'
  | 'base'
  | 'chain'
  | 'evidence'
  | 'host'
  | 'keys'
  | 'own'
  | 'payments'
  | 'relay'
  | 'startedAtMs'
  | 'verifier'
>

/** What turns ids and records into what is shown. */
type Shown = { redemptions: Pick<Redemptions, 'show'>; actions: Pick<Actions, 'get'> }

type Emit = (event: NodeEvent) => void
type Stop = () => void

/** Gathers what the parts tell; listens to them only while somebody listens here. */
export function createEventsView(parts: EventsParts, shown: Shown): EventsView {
  const listeners = new Set<Emit>()
  const emit: Emit = (event) => {
    for (const listener of listeners) listener(event)
  }
  let stop: Stop | undefined

  return {
    subscribe(listener) {
      listeners.add(listener)
      stop ??= startSources(parts, shown, emit)
      return () => {
        listeners.delete(listener)
        if (listeners.size > 0) return
        stop?.()
        stop = undefined
      }
    },
  }
}

function startSources(parts: EventsParts, { redemptions, actions }: Shown, emit: Emit): Stop {
  const inOrder = createQueue(parts)
  const tellAction = async (id: string) => {
    const data = await actions.get(id)
    if (data) emit({ type: 'action.updated', data })
  }
  const stops = [
    watchPeers(parts, emit),
    watchVerdicts(parts, emit),
    watchChannels(parts, emit),
    watchEpoch(parts, emit),
    watchHead(parts, emit),
    parts.payments.subscribe((event) => {
      if (event.type !== 'redemption') return
      inOrder(async () => {
        emit({ type: 'redemption.updated', data: await redemptions.show(event.redemption) })
        await tellAction(event.redemption.id)
      })
    }),
    parts.actions.subscribe((id) => inOrder(() => tellAction(id))),
    parts.evidence.subscribe((commitment) =>
      inOrder(async () => {
        const record = await parts.evidence.get(commitment)
        if (record) emit({ type: 'slashing.updated', data: toSlashSummary(record, parts.chain) })
      }),
    ),
  ]
  return () => {
    for (const stop of stops) stop()
  }
}

/** Runs what has to read before it can tell, one after the other, so that events keep their order. */
function createQueue({ base }: Pick<EventsParts, 'base'>): (task: () => Promise<void>) => void {
  let last: Promise<void> = Promise.resolve()
  return (task) => {
    last = last.then(task).catch((err) => base.logger.debug({ err }, 'event not told'))
  }
}

function watchPeers({ host }: Pick<EventsParts, 'host'>, emit: Emit): Stop {
  const onConnect = ({ detail }: CustomEvent<PeerId>) =>
    emit({ type: 'peer.connected', data: { peerId: detail.toString() } })
  const onDisconnect = ({ detail }: CustomEvent<PeerId>) =>
    emit({ type: 'peer.disconnected', data: { peerId: detail.toString() } })
  host.libp2p.addEventListener('peer:connect', onConnect)
  host.libp2p.addEventListener('peer:disconnect', onDisconnect)
  return () => {
    host.libp2p.removeEventListener('peer:connect', onConnect)
    host.libp2p.removeEventListener('peer:disconnect', onDisconnect)
  }
}

/** A message a millisecond must not be an event a millisecond: totals, at most once a tick. */
function watchVerdicts(parts: EventsParts, emit: Emit): Stop {
  const view = createRelayView(parts)
  const total = () => {
    const { accepted, ignored, rejected, breaches } = parts.relay.stats().verdicts
    return accepted + ignored + rejected + breaches
  }
  let told = total()
  const timer = parts.base.clock.every(EVENT_TICK_MS, async () => {
    if (total() === told) return
    told = total()
    const { verdicts } = await view.stats()
    emit({ type: 'relay.verdicts', data: verdicts })
  })
  return () => timer.stop()
}

/** Vouchers of many clients come together: each channel is told once a tick, as it is then. */
function watchChannels({ base, payments }: Pick<EventsParts, 'base' | 'payments'>, emit: Emit): Stop {
  const changed = new Map<Hex, AccountRecord>()
  const unsubscribe = payments.subscribe((event) => {
    if (event.type === 'channel') changed.set(event.account.channelId, event.account)
  })
  const timer = base.clock.every(EVENT_TICK_MS, () => {
    const accounts = [...changed.values()]
    changed.clear()
    for (const account of accounts) {
      const { channelId: id, status: state, deposit, settled } = account
      emit({ type: 'channel.updated', data: { id, state, deposit, paid: recordPaid(account), settled } })
    }
  })
  return () => {
    unsubscribe()
    timer.stop()
  }
}

function watchEpoch(parts: EventsParts, emit: Emit): Stop {
  const { base, keys } = parts
  const current = () => epochOf(base.clock.nowMs(), keys.network.epochSeconds).number
  let told = current()
  const timer = base.clock.every(EVENT_TICK_MS, async () => {
    const number = current()
    if (number === told) return
    told = number
    // The new epoch is told even when the ids cannot be read.
    const budget = await budgetOf(parts, number).catch(() => null)
    emit({ type: 'rln.epoch', data: { number, remaining: budget?.remaining ?? null } })
  })
  return () => timer.stop()
}

function watchHead({ chain }: Pick<EventsParts, 'chain'>, emit: Emit): Stop {
  const current = () => {
    const { head, headTimestamp } = chain.follower.status()
    return { connected: isConnected(chain), head: toBlock(head, headTimestamp) }
  }
  const keyOf = ({ connected, head }: ReturnType<typeof current>) => `${connected} ${head?.number}`
  let told = keyOf(current())
  return chain.follower.subscribe(() => {
    const data = current()
    if (keyOf(data) === told) return
    told = keyOf(data)
    emit({ type: 'chain.head', data })
  })
}
