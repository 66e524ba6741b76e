import type { ChainReader, ChainWriter } from '../chain/types.ts'
import type { Clock } from '../core/clock.ts'
import { createEmitter, type Emitter } from '../core/emitter.ts'
import type { Settings } from '../options.ts'
import type { Transport } from '../transport/types.ts'
import type { ClientEvents } from '../types.ts'
import { type ChannelBook, openChannelBook } from './book.ts'
import { type DailyBudget, openDailyBudget } from './budget.ts'
import { type Channels, createChannels } from './channels.ts'
import { createChannelKeys } from './keys.ts'
import { createFreePayments, createPayments, type Payments } from './payments.ts'
import type { WalletEvents } from './types.ts'

/** What a client without a wallet has no use for. */
export type Purse = { channels: Channels; writer: ChainWriter; daily: DailyBudget }

/** The paying side of one client. */
export type Money = {
  payments: Payments
  book: ChannelBook
  reader: ChainReader
  clock: Clock
  /** Absent without a wallet. */
  purse?: Purse
  /** Notes the cost of a membership. */
  notePaid(amount: bigint): Promise<void>
}

export type MoneyComponents = Pick<
  Settings,
  'network' | 'storage' | 'clock' | 'random' | 'reader' | 'writer' | 'wallet' | 'budget'
> & { transport: Transport }

export async function createMoney(
  components: MoneyComponents,
  clientEvents: Emitter<ClientEvents>,
): Promise<Money> {
  const { network, storage, clock, random, reader, writer, wallet, budget } = components
  const book = await openChannelBook(storage)
  const notePaid = (amount: bigint) => book.note({ atMs: clock.nowMs(), kind: 'register', amount })
  const base = { book, reader, clock, notePaid }
  if (!wallet || !writer) return { ...base, payments: createFreePayments(random) }

  const { chainId, contracts } = network
  const domain = { chainId, contract: contracts.paymentChannels, token: contracts.token }
  const keys = createChannelKeys(wallet)
  const daily = await openDailyBudget({ storage, clock }, budget.daily)
  const events = createWalletEvents(clientEvents)
  const channels = createChannels({ reader, writer, keys, book, daily, clock, events }, { domain, budget })
  const options = { domain, maxPrices: budget.maxPrices }
  const payments = createPayments({ ...components, channels, book, keys, events }, options)
  return { ...base, payments, purse: { channels, writer, daily } }
}

function createWalletEvents(events: Emitter<ClientEvents>): Emitter<WalletEvents> {
  const wallet = createEmitter<WalletEvents>()
  wallet.on('opened', (channel) => events.emit('channel:opened', channel))
  wallet.on('toppedUp', (channel) => events.emit('channel:toppedUp', channel))
  wallet.on('recovered', (channel) => events.emit('channel:recovered', channel))
  wallet.on('closing', (channel) => events.emit('channel:closing', channel))
  wallet.on('failed', ({ error }) => events.emit('warning', error))
  return wallet
}
