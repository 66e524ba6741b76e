import { PostriderError } from '@postrider/protocol/errors'
import { wordOf } from '../chain/movements.ts'
import type { ChainReader, ChainWriter, Keep } from '../chain/types.ts'
import { createEmitter, type Emitter } from '../core/emitter.ts'
import type { Settings } from '../options.ts'
import type { Write } from '../storage/types.ts'
import type { Transport } from '../transport/types.ts'
import type { ClientEvents } from '../types.ts'
import { type ChannelBook, openChannelBook } from './book.ts'
import { type Channels, createChannels } from './channels.ts'
import { createChannelKeys } from './keys.ts'
import { type Ledger, openLedger } from './ledger.ts'
import { type MemberBook, openMemberBook } from './member-book.ts'
import { claimStorage } from './owner.ts'
import { createFreePayments, createPayments, type Payments } from './payments.ts'
import { openSpending, type Spending } from './spending.ts'
import type { WalletEvents } from './types.ts'

/** What a client without a wallet has no use for. */
export type Purse = { channels: Channels; writer: ChainWriter; spending: Spending; ledger: Ledger }

/**
 * Pays for a membership within the day's budget, unless a transaction that was sent earlier did already.
 *
 * @throws PostriderError `CLIENT_WALLET_REQUIRED`, what `Spending.spend` throws
 */
export type PayMembership = (
  commitment: bigint,
  amount: bigint,
  send: (keep: Keep) => Promise<void>,
) => Promise<void>

/** The paying side of one client. */
export type Money = {
  payments: Payments
  book: ChannelBook
  reader: ChainReader
  /** Absent without a wallet. */
  purse?: Purse
  payMembership: PayMembership
}

export type MoneyComponents = Pick<
  Settings,
  'network' | 'storage' | 'clock' | 'random' | 'reader' | 'writer' | 'wallet' | 'budget'
> & { transport: Transport }

export async function createMoney(
  components: MoneyComponents,
  clientEvents: Emitter<ClientEvents>,
): Promise<Money> {
  const { network, storage, random, reader, writer, wallet, budget } = components
  if (writer) await claimStorage(storage, network, writer.address)
  const book = await openChannelBook(storage)
  const base = { book, reader }
  if (!wallet || !writer) {
    const payMembership = async () => {
      throw new PostriderError('CLIENT_WALLET_REQUIRED', { detail: 'membership' })
    }
    return { ...base, payments: createFreePayments(random), payMembership }
  }
  const { chainId, contracts } = network
  const domain = { chainId, contract: contracts.paymentChannels, token: contracts.token }
  const keys = createChannelKeys(wallet)
  const spending = await openSpending({ ...components, writer }, budget.daily)
  const events = createWalletEvents(clientEvents)
  const parts = { ...components, writer, keys, book, spending, events }
  const channels = createChannels(parts, { domain, budget })
  const payments = createPayments({ ...parts, channels }, { domain, maxPrices: budget.maxPrices })
  const members = await openMemberBook(storage)
  const ledger = await openLedger(components, {
    wallet: writer.address,
    firstBlock: BigInt(network.deployBlock),
    known: () => ({ channels: book.list().map(({ channelId }) => channelId), members: members.list() }),
  })
  return {
    ...base,
    payments,
    purse: { channels, writer, spending, ledger },
    payMembership: createMembershipPayer({ spending, reader, members }),
  }
}

type MembershipPayerComponents = {
  spending: Spending
  reader: Pick<ChainReader, 'member'>
  members: MemberBook
}

function createMembershipPayer({ spending, reader, members }: MembershipPayerComponents): PayMembership {
  return async (commitment, amount, send) => {
    const about = wordOf(commitment)
    if (spending.has(about)) {
      await spending.recheck()
      if ((await reader.member(commitment)).status !== 'none') return
    }
    const record = (writes: readonly Write[]) => members.add(about, writes)
    await spending.spend({ kind: 'register', about, amount, total: 0n }, record, send)
  }
}

function createWalletEvents(events: Emitter<ClientEvents>): Emitter<WalletEvents> {
  const wallet = createEmitter<WalletEvents>()
  wallet.on('opened', (channel) => events.emit('channel:opened', channel))
  wallet.on('toppedUp', (channel) => events.emit('channel:toppedUp', channel))
  wallet.on('recovered', (channel) => events.emit('channel:recovered', channel))
  wallet.on('closing', (channel) => events.emit('channel:closing', channel))
  wallet.on('empty', (error) => events.emit('wallet:empty', error))
  wallet.on('failed', ({ error }) => events.emit('warning', error))
  return wallet
}
