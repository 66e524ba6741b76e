import { PostriderError } from '@postrider/protocol/errors'
import type { AccountView, ClientPaymentFrame, NodePaymentFrame, Terms } from '@postrider/protocol/payment'
import { raceAbort, withDeadline } from '../core/abort.ts'
import type { Clock } from '../core/clock.ts'
import { toPostriderError } from '../core/errors.ts'
import { MAX_PAYMENT_DEMANDS } from './constants.ts'
import { type PaymentStream, refusedBy } from './stream.ts'

export type LinkComponents = {
  stream: PaymentStream
  clock: Clock
  /** Looks at an account before anyone else does; an error breaks the link. */
  onAccount(account: AccountView): PostriderError | undefined
  /** The node asks for payment: soon, or for a push that waits. */
  onDemand(total: bigint): void
}

/** Both directions of a payment stream, with the newest account that the node sent. */
export interface AccountLink {
  readonly terms: Terms
  account(): AccountView | undefined
  /** What broke the link. */
  failure(): PostriderError | undefined
  fail(error: PostriderError): void
  send(frame: ClientPaymentFrame): Promise<void>
  /**
   * Resolves when the node's account passes the test.
   *
   * @throws PostriderError `CLIENT_PAYMENT_FAILED` (the node's next error frame), what broke the link, `CLIENT_TIMEOUT`
   */
  until(test: (account: AccountView) => boolean, ms: number, signal?: AbortSignal): Promise<void>
  /** The total that a 402 for this request asked for, once. */
  takeDemand(requestId: string): bigint | undefined
  close(): Promise<void>
}

type Waiter = { test(account: AccountView): boolean; resolve(): void; reject(error: PostriderError): void }

export function createAccountLink({ stream, clock, onAccount, onDemand }: LinkComponents): AccountLink {
  const waiters = new Set<Waiter>()
  const demands = new Map<string, bigint>()
  let newest: AccountView | undefined
  let failure: PostriderError | undefined

  const rejectAll = (error: PostriderError) => {
    for (const { reject } of waiters) reject(error)
    waiters.clear()
  }
  const fail = (error: PostriderError) => {
    failure ??= error
    rejectAll(error)
    void stream.close()
  }
  const take = (account: AccountView) => {
    const error = onAccount(account)
    if (error) return fail(error)
    newest = account
    for (const waiter of [...waiters].filter(({ test }) => test(account))) {
      waiters.delete(waiter)
      waiter.resolve()
    }
  }
  const onFrame = (frame: NodePaymentFrame) => {
    if (frame.type === 'account') return take(frame.account)
    if (frame.type === 'error') return rejectAll(refusedBy(frame.code, frame.message))
    if (frame.type === 'terms')
      return fail(new PostriderError('CLIENT_BAD_RESPONSE', { detail: 'terms twice' }))
    remember(demands, frame.requestId, frame.total)
    onDemand(frame.total)
  }
  const listen = async () => {
    try {
      for (;;) onFrame(await stream.read())
    } catch (cause) {
      fail(toPostriderError(cause, 'CLIENT_STREAM_FAILED'))
    }
  }
  void listen()

  return {
    terms: stream.terms,
    account: () => newest,
    failure: () => failure,
    fail,
    async send(frame) {
      if (failure) throw failure
      await stream.send(frame)
    },
    async until(test, ms, signal) {
      if (failure) throw failure
      if (newest && test(newest)) return
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const waiter = { test, resolve, reject }
      waiters.add(waiter)
      const limits = { what: "the node's account", ms, signal }
      await withDeadline(clock, limits, (within) => raceAbort(promise, within)).finally(() =>
        waiters.delete(waiter),
      )
    },
    takeDemand(requestId) {
      const total = demands.get(requestId)
      demands.delete(requestId)
      return total
    },
    close: () => stream.close(),
  }
}

function remember(demands: Map<string, bigint>, requestId: string, total: bigint): void {
  const [oldest] = demands.keys()
  if (demands.size >= MAX_PAYMENT_DEMANDS && oldest !== undefined) demands.delete(oldest)
  demands.set(requestId, total)
}
