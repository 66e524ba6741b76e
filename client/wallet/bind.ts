import { peerIdFromString } from '@libp2p/peer-id'
import { isPostriderError } from '@postrider/protocol/errors'
import {
  type AccountView,
  MAX_TICKS,
  type PaymentDomain,
  signBind,
  signVoucher,
} from '@postrider/protocol/payment'
import { bytesToHex } from '@postrider/protocol/wire'
import { withDeadline } from '../core/abort.ts'
import type { Clock } from '../core/clock.ts'
import type { Emitter } from '../core/emitter.ts'
import { balanceOf, type ChannelBook } from './book.ts'
import {
  ACKNOWLEDGE_TIMEOUT_MS,
  BIND_RETRY_MAX_MS,
  BIND_RETRY_MS,
  CONFIRMATION_TIMEOUT_MS,
} from './constants.ts'
import type { ChannelKeys } from './keys.ts'
import type { AccountLink } from './link.ts'
import { NOTHING_PROMISED, type Payment, type Promised, promisedTotal } from './promised.ts'
import { overcharged, type Tally } from './tally.ts'
import type { ChannelRecord, WalletEvents } from './types.ts'

/** What it takes to speak for one channel on one connection. */
export type Desk = {
  link: AccountLink
  tally: Tally
  book: ChannelBook
  keys: ChannelKeys
  clock: Clock
  events: Emitter<WalletEvents>
  domain: PaymentDomain
  clientPeerId: string
  nodePeerId: string
}

/**
 * Binds, again and again until the node's account passes the test: it may not see yet what is on chain.
 *
 * @throws PostriderError `CLIENT_PAYMENT_FAILED`, `CLIENT_TIMEOUT`, what broke the link
 */
export function bindUntil(
  desk: Desk,
  record: ChannelRecord,
  test: (account: AccountView) => boolean,
  signal?: AbortSignal,
): Promise<void> {
  const { link, clock } = desk
  const limits = { what: 'the node to see the channel', ms: CONFIRMATION_TIMEOUT_MS, signal }
  return withDeadline(clock, limits, async (within) => {
    for (let pauseMs = BIND_RETRY_MS; ; pauseMs = Math.min(2 * pauseMs, BIND_RETRY_MAX_MS)) {
      await sendBind(desk, record)
      try {
        return await link.until(test, pauseMs, within)
      } catch (error) {
        if (within.aborted || link.failure() || !isPending(error)) throw error
      }
      await clock.sleep(pauseMs, within)
    }
  })
}

async function sendBind(desk: Desk, { channelId, descriptor }: ChannelRecord): Promise<void> {
  const { link, keys, domain } = desk
  const clientPeerId = peerIdBytes(desk.clientPeerId)
  const nodePeerId = peerIdBytes(desk.nodePeerId)
  const bind = { channelId, nonce: link.terms.nonce, clientPeerId, nodePeerId }
  const signature = signBind(domain, bind, keys.signer(descriptor.salt).key)
  await link.send({ type: 'bind', descriptor, signature })
}

/** The node does not see the channel yet, or has not answered: worth asking again. */
function isPending(error: unknown): boolean {
  if (!isPostriderError(error)) return false
  return error.code === 'CLIENT_TIMEOUT' || error.data.code === 'PAYMENT_CHANNEL_UNKNOWN'
}

/** Sends what the record promises; the record is on disk. */
export async function sendPromised(desk: Desk, type: Payment['type'], record: ChannelRecord): Promise<void> {
  const { link, keys, domain, tally } = desk
  const { channelId, descriptor, promised } = record
  const { cumulative, tickValue, ticks } = promised
  const chain = keys.ticks({ channelId, cumulative, tickValue })
  tally.paying(promisedTotal(promised))
  if (type === 'voucher') {
    const voucher = { channelId, cumulative, tickAnchor: bytesToHex(chain.anchor), tickValue }
    const signature = signVoucher(domain, voucher, keys.signer(descriptor.salt).key)
    await link.send({ type: 'voucher', voucher: { ...voucher, signature } })
  }
  if (ticks > 0) await link.send({ type: 'tick', tick: { index: ticks, preimage: chain.preimage(ticks) } })
}

/**
 * After a Bind: brings the node to our totals, or takes over what it proves that we promised.
 *
 * @throws PostriderError `CLIENT_OVERCHARGED` when it shows a promise that is not ours
 */
export async function resume(desk: Desk, record: ChannelRecord, theirs: AccountView): Promise<void> {
  const { link, book } = desk
  const total = promisedTotal(record.promised)
  if (!record.known || theirs.paid > total) return adopt(desk, record, theirs)
  // Written once more, in case the last write failed: nothing is sent that is not on disk.
  const saved = await book.update(record.channelId, {})
  if (theirs.paid === total) return
  await sendPromised(desk, theirs.cumulative === record.promised.cumulative ? 'tick' : 'voucher', saved)
  await link.until(({ paid }) => paid >= total, ACKNOWLEDGE_TIMEOUT_MS)
}

async function adopt(desk: Desk, record: ChannelRecord, theirs: AccountView): Promise<void> {
  const { link, tally, book, events } = desk
  const promised = provenPromise(desk.keys, record, theirs)
  if (!promised) {
    const error = overcharged(theirs.paid, promisedTotal(record.promised))
    link.fail(error)
    throw error
  }
  const saved = await book.update(record.channelId, { promised, known: true, spent: theirs.spent })
  tally.reset(theirs.spent)
  if (theirs.paid > 0n) events.emit('recovered', balanceOf(saved))
}

/** What the node proves that we promised, base units; 0 if it proves nothing. */
export function provenTotal({ keys }: Desk, record: ChannelRecord, theirs: AccountView): bigint {
  return promisedTotal(provenPromise(keys, record, theirs) ?? NOTHING_PROMISED)
}

/** The promise that the node shows, if it can only come from us: nobody else can make the ticks of our chain. */
function provenPromise(keys: ChannelKeys, record: ChannelRecord, theirs: AccountView): Promised | undefined {
  if (theirs.paid === 0n) return NOTHING_PROMISED
  const { cumulative, tickValue, ticks, tickAnchor, tickPreimage } = theirs
  const chain = keys.ticks({ channelId: record.channelId, cumulative, tickValue })
  const promised = { cumulative, tickValue, ticks }
  if (ticks > MAX_TICKS || promisedTotal(promised) !== theirs.paid) return undefined
  const ours = bytesToHex(chain.anchor) === tickAnchor && bytesToHex(chain.preimage(ticks)) === tickPreimage
  return ours ? promised : undefined
}

function peerIdBytes(peerId: string): Uint8Array {
  return peerIdFromString(peerId).toMultihash().bytes
}
