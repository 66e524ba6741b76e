import { PostriderError } from '@postrider/protocol/errors'
import { type AccountView, encodeNodeFrame, type NodePaymentFrame } from '@postrider/protocol/payment'
import type { Clock } from '../core/clock.ts'
import { withDeadline } from '../core/deadline.ts'
import type { FrameStream } from '../core/p2p/streams.ts'
import { MAX_OUTBOX_FRAMES, WRITE_DEADLINE_MS } from './constants.ts'

export type OutboxComponents = {
  frames: Pick<FrameStream, 'write'>
  clock: Clock
  /** Called once, when the peer takes no more frames; nothing is sent after that. */
  onFailure(error: unknown): void
}

/** Frames on their way to one client. */
export type Outbox = {
  send(frame: NodePaymentFrame): void
  /** Sends the account; of several that wait only the newest is sent. */
  sendAccount(account: AccountView): void
  /** Resolves when everything was sent or sending failed. */
  drained(): Promise<void>
}

/** Writes one frame at a time, so that a slow client costs a bounded queue and nothing else. */
export function createOutbox({ frames, clock, onFailure }: OutboxComponents): Outbox {
  const waiting: NodePaymentFrame[] = []
  let account: AccountView | undefined
  let writing: Promise<void> | undefined
  let failed = false

  const take = (): NodePaymentFrame | undefined => {
    const next = waiting.shift()
    if (next || !account) return next
    const frame: NodePaymentFrame = { type: 'account', account }
    account = undefined
    return frame
  }

  const fail = (error: unknown) => {
    if (failed) return
    failed = true
    onFailure(error)
  }

  const writeAll = async (): Promise<void> => {
    try {
      for (let frame = take(); frame && !failed; frame = take()) {
        const bytes = encodeNodeFrame(frame)
        await withDeadline(clock, { what: 'send a payment frame', ms: WRITE_DEADLINE_MS }, (signal) =>
          frames.write(bytes, signal),
        )
      }
    } catch (error) {
      fail(error)
    }
    // Together with the empty queue, without an await between: what comes now starts a new round.
    writing = undefined
  }

  const wake = () => {
    if (failed) return
    writing ??= Promise.resolve().then(writeAll)
  }

  return {
    send(frame) {
      if (waiting.length >= MAX_OUTBOX_FRAMES) fail(new PostriderError('PAYMENT_RATE_LIMITED'))
      else waiting.push(frame)
      wake()
    },
    sendAccount(newest) {
      account = newest
      wake()
    },
    async drained() {
      await writing
    },
  }
}
