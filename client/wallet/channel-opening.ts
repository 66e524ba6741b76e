import { isPostriderError, PostriderError } from '@postrider/protocol/errors'
import { channelId, formatAmount, type PaymentDomain } from '@postrider/protocol/payment'
import { type Address, equalHex } from '@postrider/protocol/wire'
import { tokensMissing } from '../chain/errors.ts'
import { larger, smaller } from '../core/bigint.ts'
import { balanceOf } from './book.ts'
import { type ChannelParts, type ChannelsComponents, readAgain } from './channel-reading.ts'
import { MAX_CHANNELS_PER_PAYEE } from './constants.ts'
import { NOTHING_PROMISED, promisedTotal } from './promised.ts'
import type { Budget, ChannelRecord } from './types.ts'

export type ChannelsOptions = { domain: PaymentDomain; budget: Budget }

/** The open channel to a node; opens one if there is none. Callers take turns by node. */
export async function ensureOpen(
  parts: ChannelParts,
  options: ChannelsOptions,
  operator: Address,
): Promise<ChannelRecord> {
  const live = parts.book.live(operator)
  const open = live ? await finishOpening(parts, options, live) : await openNext(parts, options, operator)
  // More is promised than is there only after a reorganisation; the node waits until it is covered.
  return raiseTo(parts, options, open, promisedTotal(open.promised))
}

/** Looks for the first channel to this payee that is not closed yet, and opens it if it is new. */
async function openNext(
  parts: ChannelParts,
  options: ChannelsOptions,
  operator: Address,
): Promise<ChannelRecord> {
  const { reader, book } = parts
  const earlier = book.list().filter((record) => equalHex(record.operator, operator))
  const start = Math.max(-1, ...earlier.map(({ number }) => number)) + 1
  for (let number = start; number < start + MAX_CHANNELS_PER_PAYEE; number++) {
    const record = draw(parts, options, operator, number)
    const { status, ...state } = await reader.channel(record.channelId)
    if (status === 'none') return finishOpening(parts, options, record)
    // Ours, but of another storage: take it over. What was promised on it, the node has to prove.
    const found = { ...record, ...state, status, known: false }
    await book.add(found)
    if (status === 'open') return found
  }
  throw new PostriderError('CLIENT_CHANNEL_UNUSABLE', { detail: 'too many channels to this node' })
}

function draw(
  { keys, writer }: ChannelsComponents,
  { domain, budget }: ChannelsOptions,
  operator: Address,
  number: number,
): ChannelRecord {
  const salt = keys.salt({ chainId: domain.chainId, contract: domain.contract, payee: operator }, number)
  const descriptor = { payer: writer.address, payee: operator, signer: keys.signer(salt).address, salt }
  return {
    channelId: channelId(descriptor, domain),
    operator,
    number,
    descriptor,
    status: 'opening',
    deposit: budget.deposit,
    settled: 0n,
    closeAt: 0,
    known: true,
    promised: NOTHING_PROMISED,
    spent: 0n,
  }
}

/** Sends the opening, unless the channel is open already; finds out first what became of one that was sent before. */
async function finishOpening(
  parts: ChannelParts,
  options: ChannelsOptions,
  record: ChannelRecord,
): Promise<ChannelRecord> {
  if (record.status === 'open') return record
  const { reader, book, spending, events } = parts
  const { channelId: id } = record
  const opened = async () => (await reader.channel(id)).status !== 'none'
  if (!(await opened())) {
    if (spending.has(id)) await spending.recheck()
    if (spending.least(id) > 0n && !(await opened())) throw behind(record, 0n, spending.least(id))
    if (!(await opened())) {
      try {
        await sendOpening(parts, options, record)
      } catch (error) {
        if (!(await opened())) {
          const refused = isPostriderError(error) && !error.retryable
          // Only a refusal is certain; anything else may still be mined. Promises are never forgotten.
          if (refused && promisedTotal(record.promised) === 0n) await book.drop(id)
          throw error
        }
      }
    }
  }
  const open = await readAgain(parts, record)
  events.emit('opened', balanceOf(open))
  return open
}

async function sendOpening(
  parts: ChannelParts,
  { domain }: ChannelsOptions,
  record: ChannelRecord,
): Promise<void> {
  const { writer, book, spending } = parts
  const { channelId: about, descriptor, deposit: amount } = record
  await assertFunds(parts, domain, amount)
  await spending.spend(
    { kind: 'open', about, amount, total: amount },
    // On disk first: whatever happens from here on, the restart knows to look for this channel.
    (writes) => book.add(record, writes),
    (keep) => writer.openChannel(descriptor, amount, keep),
  )
}

/** Tops up until the channel holds at least `total`. Callers take turns by node: there is never more than one. */
export async function raiseTo(
  parts: ChannelParts,
  options: ChannelsOptions,
  record: ChannelRecord,
  total: bigint,
): Promise<ChannelRecord> {
  const known = await followUp(parts, record)
  if (known.deposit >= total) return known
  // The contract may have more than the record: after a crash, or of a top-up by somebody else.
  const current = await followUp(parts, await readAgain(parts, known))
  if (current.deposit >= total) return current
  const least = parts.spending.least(current.channelId)
  if (current.deposit < least) throw behind(current, current.deposit, least)
  return topUp(parts, options, current, total)
}

/** Finds out first what became of earlier transactions, so that none is made up for that can still take effect. */
export async function followUp(parts: ChannelParts, record: ChannelRecord): Promise<ChannelRecord> {
  const { spending, takenBack } = parts
  const id = record.channelId
  if (!takenBack.has(id) && !spending.pending(id)) return record
  await spending.recheck()
  takenBack.delete(id)
  return readAgain(parts, record)
}

async function topUp(
  parts: ChannelParts,
  { domain, budget }: ChannelsOptions,
  record: ChannelRecord,
  total: bigint,
): Promise<ChannelRecord> {
  const { writer, book, spending, events } = parts
  const id = record.channelId
  const missing = total - record.deposit
  const room = budget.maxDeposit - record.deposit
  if (missing > room) throw tooMuch(record, total, budget)
  const amount = smaller(larger(missing, budget.deposit), room)
  await assertFunds(parts, domain, amount)
  await spending.spend(
    { kind: 'topUp', about: id, amount, total: record.deposit + amount },
    (writes) => book.update(id, {}, writes),
    (keep) => writer.topUpChannel(id, amount, keep),
  )
  // It is mined: an endpoint that shows less from here on is behind.
  await book.update(id, { deposit: record.deposit + amount })
  const raised = await readAgain(parts, record)
  events.emit('toppedUp', balanceOf(raised))
  return raised
}

/** The endpoint shows less of a channel than was seen to go into it: no money is sent by what it says. */
function behind({ channelId: id, operator }: ChannelRecord, shown: bigint, least: bigint): PostriderError {
  return new PostriderError('CLIENT_CHAIN_UNAVAILABLE', {
    detail: `the endpoint is behind: it shows a deposit of ${shown}, and ${least} was mined`,
    data: { channelId: id, operator, shown: shown.toString(), mined: least.toString() },
  })
}

function tooMuch({ channelId: id, operator, deposit }: ChannelRecord, needed: bigint, budget: Budget) {
  const { maxDeposit: allowed } = budget
  const remaining = allowed > deposit ? allowed - deposit : 0n
  return new PostriderError('CLIENT_BUDGET_EXCEEDED', {
    detail: `the limit of one channel: ${formatAmount(needed)} needed, ${formatAmount(allowed)} allowed`,
    data: {
      limit: 'maxDeposit',
      allowed: allowed.toString(),
      needed: needed.toString(),
      remaining: remaining.toString(),
      channelId: id,
      operator,
    },
  })
}

async function assertFunds(
  { reader, writer }: ChannelsComponents,
  { token }: PaymentDomain,
  amount: bigint,
): Promise<void> {
  const balance = await reader.tokenBalance(writer.address)
  if (balance < amount) throw tokensMissing(writer.address, token, balance, amount)
}
