import type { Connection, Stream } from '@libp2p/interface'
import { isPostriderError, PostriderError } from '@postrider/protocol/errors'
import { PROTOCOL_IDS } from '@postrider/protocol/wire'
import type { Clock } from '../core/clock.ts'
import { withDeadline } from '../core/deadline.ts'
import { createFrameStream, type FrameStream } from '../core/p2p/streams.ts'
import { createBoundedQueue } from '../core/queue.ts'
import {
  MAX_PUSH_QUEUE,
  MAX_PUSH_QUEUE_BYTES,
  PUSH_DEADLINE_MS,
  PUSH_GRACE_MS,
  PUSH_RETRY_MS,
} from './constants.ts'
import type { PaymentGate } from './types.ts'

/** One message for one subscriber. */
export type Push = {
  /** Names the message in the charge; the same message is charged once. */
  requestId: string
  /** A serialized MessagePush, shared by all subscribers. */
  frame: Uint8Array
}

export type PusherComponents = {
  peer: string
  /** The newest open connection to the peer. */
  connection(): Connection | undefined
  gate: PaymentGate
  clock: Clock
  /** Called once when the subscriber cannot be served any more. */
  onEnd(reason: unknown): void
  onPushed(): void
}

/** Sends one subscriber its messages in order, at its own pace. */
export type Pusher = {
  /** Never blocks. A subscriber whose queue is full is given up. */
  push(push: Push): void
  queued(): number
  stop(): void
}

export function createPusher(components: PusherComponents): Pusher {
  const { peer, gate, clock, onEnd, onPushed } = components
  const queue = createBoundedQueue<Push>({
    limit: MAX_PUSH_QUEUE,
    maxWeight: MAX_PUSH_QUEUE_BYTES,
    weight: ({ frame }) => frame.length,
    drop: 'newest',
  })
  const ending = new AbortController()
  let stream: Stream | undefined
  let frames: FrameStream | undefined
  let pumping = false

  const end = (reason: unknown, notify: boolean): void => {
    if (ending.signal.aborted) return
    ending.abort(reason)
    queue.clear()
    stream?.abort(reason instanceof Error ? reason : new PostriderError('CORE_ABORTED', { cause: reason }))
    if (notify) onEnd(reason)
  }

  /** One attempt to charge; undefined when it is paid, else why not. */
  const chargeOnce = async (requestId: string): Promise<PostriderError | undefined> => {
    try {
      const charged = await gate.charge({ peer, requestId, service: 'push' })
      if (charged.ok) return undefined
      return new PostriderError('LIGHT_PUSH_UNPAID', { data: { total: charged.total.toString() } })
    } catch (error) {
      if (isPostriderError(error) && error.retryable) return error
      throw error
    }
  }

  /** Charges for a push; waits for payment, and for a gate that cannot say, within the grace period. */
  const pay = async (requestId: string): Promise<void> => {
    const untilMs = clock.nowMs() + PUSH_GRACE_MS
    for (;;) {
      const obstacle = await chargeOnce(requestId)
      if (!obstacle) return
      if (clock.nowMs() >= untilMs) throw obstacle
      await clock.sleep(PUSH_RETRY_MS, ending.signal)
    }
  }

  const open = async (signal: AbortSignal): Promise<FrameStream> => {
    if (frames && stream?.writeStatus === 'writable' && stream.status === 'open') return frames
    const connection = components.connection()
    if (!connection)
      throw new PostriderError('RELAY_DIAL_FAILED', { detail: 'the subscriber is not connected' })
    stream = await connection.newStream(PROTOCOL_IDS.filterPush, { signal })
    frames = createFrameStream(stream, 0) // nothing is read: a subscriber has nothing to say here
    return frames
  }

  const send = (frame: Uint8Array): Promise<void> =>
    withDeadline(
      clock,
      { what: PROTOCOL_IDS.filterPush, ms: PUSH_DEADLINE_MS, signal: ending.signal },
      async (signal) => {
        try {
          await (await open(signal)).write(frame, signal)
        } catch (error) {
          // The subscriber may have closed an idle stream just now: one new stream, then give up.
          if (!isPostriderError(error) || signal.aborted) throw error
          stream?.abort(error)
          await (await open(signal)).write(frame, signal)
        }
      },
    )

  const pump = async (): Promise<void> => {
    for (let push = queue.shift(); push; push = queue.shift()) {
      await pay(push.requestId)
      await send(push.frame)
      onPushed()
    }
  }

  return {
    push(push) {
      if (ending.signal.aborted) return
      if (queue.push(push) > 0) return end(new PostriderError('LIGHT_SUBSCRIBER_SLOW'), true)
      if (pumping) return
      pumping = true
      pump()
        .catch((error) => end(error, true))
        .finally(() => {
          pumping = false
        })
    },
    queued: queue.size,
    stop: () => end(new PostriderError('CORE_ABORTED'), false),
  }
}
