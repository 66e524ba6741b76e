import { isPostriderError, PostriderError } from '@postrider/protocol/errors'
import { parsePaymentRequired } from '@postrider/protocol/payment'
import { type Address, bytesToHex } from '@postrider/protocol/wire'
import type { Prices } from '../chain/types.ts'
import { raceAbort } from '../core/abort.ts'
import { toPostriderError } from '../core/errors.ts'
import type { Random } from '../core/random.ts'
import type { NodeInfo } from '../nodes/types.ts'
import type { Status } from '../transport/lightpush.ts'
import type { Session } from './session.ts'
import { createSessions, type SessionsComponents, type SessionsOptions } from './sessions.ts'
import { isOwnShortage } from './shortage.ts'
import type { ChannelRecord } from './types.ts'

/** What can be paid for. */
export type PaidService = keyof Prices

/** What a request cost at most, base units; 0 when it was free. */
export type Paid<Answer> = { answer: Answer; paid: bigint }

/** Pays nodes for requests. */
export interface Payments {
  /**
   * Sends a request to a node and pays for it. On 402 it pays what was counted and sends once more, with the same
   * id, so that it is not charged twice. Other statuses are the caller's to judge.
   *
   * @param requestId of a request that may be sent again because its answer was lost: the node charges it once
   * @throws PostriderError `CLIENT_WALLET_REQUIRED`, `CLIENT_PAYMENT_FAILED`, `CLIENT_PRICE_TOO_HIGH`,
   * `CLIENT_TERMS_INVALID`, `CLIENT_OVERCHARGED`, what opening a channel throws, what `send` throws
   */
  request<Answer extends Status>(
    node: NodeInfo,
    service: PaidService,
    send: (requestId: string) => Promise<Answer>,
    signal?: AbortSignal,
    requestId?: string,
  ): Promise<Paid<Answer>>
  /** Opens channel and stream now, if the service costs anything, so that the request need not wait. Throws as `request`. */
  prepare(node: NodeInfo, service: PaidService, signal?: AbortSignal): Promise<void>
  /** A message was pushed by a node. */
  pushed(node: NodeInfo): void
  /** Prices as the node offers them now, or as it registered them. */
  prices(node: NodeInfo): Prices
  /** Nodes that hold an open channel of ours. */
  preferred(): ReadonlySet<Address>
  /** Stops paying a node, as before its channel is closed. */
  leave(operator: Address): Promise<void>
  close(): Promise<void>
}

/** Status of a refusal for want of payment. */
const PAYMENT_REQUIRED = 402

/** Bytes of randomness in a request id. */
const REQUEST_ID_BYTES = 16

const newRequestId = (random: Random) => bytesToHex(random.bytes(REQUEST_ID_BYTES)).slice(2)

/** For a client without a wallet: it lives on the free allowance of the nodes. */
export function createFreePayments(random: Random): Payments {
  return {
    async request(_node, _service, send, _signal, requestId = newRequestId(random)) {
      const answer = await send(requestId)
      if (answer.code !== PAYMENT_REQUIRED) return { answer, paid: 0n }
      throw new PostriderError('CLIENT_WALLET_REQUIRED', { detail: answer.reason })
    },
    prepare: async () => undefined,
    pushed: () => undefined,
    prices: (node) => node.prices,
    preferred: () => new Set(),
    leave: async () => undefined,
    close: async () => undefined,
  }
}

export type PaymentsComponents = SessionsComponents & { random: Random }

/** For a client with a wallet: one channel and one payment stream per node. */
export function createPayments(components: PaymentsComponents, options: SessionsOptions): Payments {
  const { channels, book, random } = components
  const sessions = createSessions(components, options)

  /** The session to a node if it can be paid; else why not. */
  const payable = async (node: NodeInfo, signal?: AbortSignal): Promise<Session | PostriderError> => {
    try {
      return await raceAbort(sessions.of(node), signal)
    } catch (error) {
      if (signal?.aborted || !isOwnShortage(error)) throw error
      return error
    }
  }
  /** The session in which the request is counted and paid; a new one if the old one turns out to be broken. */
  const begun = async (node: NodeInfo, service: PaidService, signal?: AbortSignal) => {
    for (let broken = false; ; broken = true) {
      const session = await payable(node, signal)
      if (isPostriderError(session)) return session
      const price = session.terms.prices[service]
      try {
        await session.begin(price, signal)
        return session
      } catch (error) {
        session.finish(price)
        if (broken || session.failure()?.code !== 'CLIENT_STREAM_FAILED') throw error
      }
    }
  }
  const unpaid = async <Answer extends Status>(
    send: () => Promise<Answer>,
    reason: PostriderError,
  ): Promise<Paid<Answer>> => {
    const answer = await send()
    if (answer.code === PAYMENT_REQUIRED) throw reason
    return { answer, paid: 0n }
  }

  return {
    async request(node, service, send, signal, id = newRequestId(random)) {
      if (this.prices(node)[service] === 0n) return { answer: await send(id), paid: 0n }
      const session = await begun(node, service, signal)
      // No money for this node: its free allowance may do.
      if (isPostriderError(session)) return unpaid(() => send(id), session)
      return payFor(session, { price: session.terms.prices[service], id, send, signal })
    },
    async prepare(node, service, signal) {
      if (this.prices(node)[service] === 0n) return
      const session = await payable(node, signal)
      if (isPostriderError(session)) return
      await session.ready(session.terms.prices[service], signal).catch((error) => {
        if (!isOwnShortage(error)) throw error
      })
    },
    pushed(node) {
      const session = sessions.current(node.operator)
      if (!session) return
      if (!session.failure()) return session.pushed()
      // The stream broke while the node goes on pushing: a new one, or the node is not paid and stops.
      const counted = sessions.of(node).then((next) => next.pushed())
      counted.catch((error) => {
        const failure = toPostriderError(error, 'CLIENT_STREAM_FAILED')
        components.events.emit('failed', { operator: node.operator, error: failure })
      })
    },
    prices: (node) => sessions.current(node.operator)?.terms.prices ?? node.prices,
    preferred: () =>
      new Set(
        book
          .list()
          .filter(isOpen)
          .map(({ operator }) => operator),
      ),
    leave: sessions.leave,
    async close() {
      await Promise.all([channels.close(), sessions.close()])
    },
  }
}

const isOpen = ({ status }: ChannelRecord) => status === 'open'

type PaidRequest<Answer> = {
  price: bigint
  id: string
  send(requestId: string): Promise<Answer>
  signal: AbortSignal | undefined
}

/** Sends the request that the session has begun; pays what a 402 asks for, and sends once more. */
async function payFor<Answer extends Status>(
  session: Session,
  { price, id, send, signal }: PaidRequest<Answer>,
): Promise<Paid<Answer>> {
  try {
    const answer = await send(id)
    if (answer.code !== PAYMENT_REQUIRED) return { answer, paid: price }
    await session.meet(id, { stated: parsePaymentRequired(answer.reason), signal })
    const again = await send(id)
    if (again.code !== PAYMENT_REQUIRED) return { answer: again, paid: price }
    throw new PostriderError('CLIENT_PAYMENT_FAILED', {
      detail: again.reason,
      data: { code: 'PAYMENT_REQUIRED' },
    })
  } finally {
    session.finish(price)
  }
}
