import { isPostriderError } from '@postrider/protocol/errors'
import type { PaymentDomain } from '@postrider/protocol/payment'
import type { Address, Hex } from '@postrider/protocol/wire'
import type { Prices } from '../chain/types.ts'
import type { Clock } from '../core/clock.ts'
import type { Emitter } from '../core/emitter.ts'
import type { NodeInfo } from '../nodes/types.ts'
import type { Transport } from '../transport/types.ts'
import type { ChannelBook } from './book.ts'
import type { Channels } from './channels.ts'
import type { ChannelKeys } from './keys.ts'
import { createSession, type Session, type SessionComponents } from './session.ts'
import { checkPrices, openPaymentStream } from './stream.ts'
import type { Tally } from './tally.ts'
import type { WalletEvents } from './types.ts'

export type SessionsComponents = {
  transport: Transport
  channels: Channels
  book: ChannelBook
  keys: ChannelKeys
  clock: Clock
  events: Emitter<WalletEvents>
}

export type SessionsOptions = {
  domain: PaymentDomain
  /** Highest prices that are paid; absent: what each node registered. */
  maxPrices?: Prices | undefined
}

/** The payment sessions of this client, one per node. */
export interface Sessions {
  /**
   * The working session to a node: a channel is opened and bound where there is none.
   *
   * @throws PostriderError `CLIENT_PRICE_TOO_HIGH`, `CLIENT_TERMS_INVALID`, what `Channels.ensure` and `Session.bind`
   * throw
   */
  of(node: NodeInfo): Promise<Session>
  /** The session to a node as it is, working or broken. */
  current(operator: Address): Session | undefined
  leave(operator: Address): Promise<void>
  close(): Promise<void>
}

export function createSessions(components: SessionsComponents, options: SessionsOptions): Sessions {
  const stopped = new AbortController()
  const opening = new Map<Address, Promise<Session>>()
  const sessions = new Map<Address, Session>()
  const tallies = new Map<Hex, Tally>()

  const open = async (node: NodeInfo, broken?: Session): Promise<Session> => {
    // What the old session counted must be on disk before the new one resumes from there.
    await broken?.close()
    const session = await connectSession({ ...components, tallies }, options, node, stopped.signal)
    sessions.set(node.operator, session)
    return session
  }
  return {
    of(node) {
      const { operator } = node
      const known = sessions.get(operator)
      if (known && !known.failure()) return Promise.resolve(known)
      const pending = opening.get(operator)
      if (pending) return pending
      const next = open(node, known).finally(() => opening.delete(operator))
      opening.set(operator, next)
      return next
    },
    current: (operator) => sessions.get(operator),
    async leave(operator) {
      await sessions.get(operator)?.close()
      sessions.delete(operator)
    },
    async close() {
      stopped.abort()
      await Promise.allSettled(opening.values())
      await Promise.all([...sessions.values()].map((session) => session.close()))
    },
  }
}

/** A stream with acceptable terms and a channel bound to it. */
async function connectSession(
  components: SessionsComponents & Pick<SessionComponents, 'tallies'>,
  { domain, maxPrices }: SessionsOptions,
  node: NodeInfo,
  signal: AbortSignal,
): Promise<Session> {
  const { transport, channels } = components
  const stream = await openPaymentStream(components, node, domain, signal)
  try {
    checkPrices(stream.terms.prices, maxPrices ?? node.prices)
    const peers = { clientPeerId: transport.peerId(), nodePeerId: node.peerId }
    const session = createSession({ ...components, stream }, { domain, ...peers })
    const record = await channels.ensure(node.operator)
    try {
      await session.bind(record, signal)
    } catch (error) {
      if (!isClosedAtNode(error)) throw error
      // The node saw the closing first. The contract says so too, and the next channel is opened.
      await channels.refresh(record)
      await session.bind(await channels.ensure(node.operator), signal)
    }
    return session
  } catch (error) {
    void stream.close()
    throw error
  }
}

function isClosedAtNode(error: unknown): boolean {
  if (!isPostriderError(error)) return false
  return error.data.code === 'PAYMENT_CHANNEL_CLOSING' || error.data.code === 'PAYMENT_CHANNEL_CLOSED'
}
