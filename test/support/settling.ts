// The way of money through a node without its network: accounts, ledger, redemption, transactions, on a real chain and a
// real database. Every moment between two steps that must survive a crash has a name.
import type { Network } from '@postrider/protocol/network'
import type { Hex } from '@postrider/protocol/wire'
import type { LocalAccount } from 'viem'
import { readChannels } from '../../node/chain/channel-reader.ts'
import { createChainClient } from '../../node/chain/client.ts'
import { createRedeemer } from '../../node/chain/redeemer.ts'
import { createSender } from '../../node/chain/sender.ts'
import { createDbTransactionStore, type TransactionStore } from '../../node/chain/transaction-store.ts'
import { type Clock, systemClock } from '../../node/core/clock.ts'
import { type Database, openDatabase } from '../../node/core/db/index.ts'
import { silentLogger } from '../../node/core/logger.ts'
import { createMetrics } from '../../node/core/metrics.ts'
import { systemRandom } from '../../node/core/random.ts'
import { createAccountBook } from '../../node/payments/book.ts'
import { createPrismaLedger } from '../../node/payments/ledger/prisma.ts'
import { createRedemptionDaemon } from '../../node/payments/redemption/daemon.ts'
import type { Payer } from '../../node/payments/testing/kit.ts'
import type { EscrowView, Ledger, RedemptionRecord } from '../../node/payments/types.ts'

/** Called at every named moment, and waited for. */
export type Reach = (point: string) => void | Promise<void>

/** Pauses between two attempts of the redemption are cut to this, ms. */
const LONGEST_PAUSE_MS = 200

export const PRICE = 3n
export const UNPAID_LIMIT = 1_000n
export const VOUCHER = 200n
export const TICKS = { chain: 'c', value: 5n }

/** What the node tells its client or its operator, once it is durable. */
export type Said =
  | { paid: string; spent: string }
  | { charged: string }
  | { settled: string }
  | { point: string }

export type Settler = Awaited<ReturnType<typeof openSettler>>

/** Opens a node of one payer. `reach` is called at every named moment. */
export async function openSettler(setting: {
  file: string
  network: Network
  account: LocalAccount
  payer: Payer
  reach?: Reach
  wrap?: (database: Database) => Pick<Database, 'db' | 'writer'>
  mode?: 'manual' | 'auto'
  /** How wrong this machine's clock is. */
  clockOffsetMs?: number
}) {
  const { network, account, payer, reach = () => undefined } = setting
  const { channelId, descriptor } = payer
  const database = await openDatabase(setting.file)
  const { clockOffsetMs = 0 } = setting
  const clock: Clock = { ...systemClock, nowMs: () => Date.now() + clockOffsetMs }
  // For the redemption only: elsewhere sleeps are deadlines too.
  const impatient: Clock = {
    ...clock,
    sleep: (ms, signal) => clock.sleep(Math.min(ms, LONGEST_PAUSE_MS), signal),
  }
  const base = { clock, random: systemRandom, logger: silentLogger, metrics: createMetrics() }
  const client = createChainClient(base, { network })
  const broadcast = watched(client, reach)
  const store = watchedStore(createDbTransactionStore(database.db, clock.nowMs), reach)
  const sender = createSender(
    { ...base, client: broadcast, store },
    { account, confirmations: 0, pollMs: 20, maxFeePerGas: 10n ** 12n },
  )
  const ledger = watchedLedger(createPrismaLedger(setting.wrap?.(database) ?? database), reach)
  const escrow: EscrowView = {
    isFresh: () => true,
    subscribe: () => () => undefined,
    async channel(id) {
      const { channels } = await readChannels(client, [id])
      const [found] = channels
      if (!found || found.status === 'none') return undefined
      const { status, settled, closeAt } = found
      return { descriptor, status, settled, closeAt, deposit: 10n ** 18n }
    },
  }
  const book = createAccountBook({ ...base, ledger, escrow }, { unpaidLimit: UNPAID_LIMIT, freeRequests: 0 })
  const ended = Promise.withResolvers<RedemptionRecord>()
  const daemon = createRedemptionDaemon(
    {
      ...base,
      clock: impatient,
      ledger,
      escrow,
      book,
      redeemer: createRedeemer({ client: broadcast, sender }, { tokenPerNativeMilli: 0 }),
      onEvent: (event) => {
        if (event.type === 'redemption' && event.redemption.state === 'done') ended.resolve(event.redemption)
      },
    },
    { mode: setting.mode ?? 'manual' },
  )
  await sender.start()
  await daemon.start()
  const record = await book.hold(channelId, descriptor)
  return {
    book,
    daemon,
    ledger,
    record,
    ended: ended.promise,
    /** The account on disk, with what the contract says of its channel now. */
    async account() {
      await book.refresh(channelId)
      return (await ledger.account(channelId))!
    },
    async stop() {
      await daemon.stop()
      await sender.stop()
      await book.settle()
      client.stop()
      await database.close()
    },
  }
}

type ChainClient = ReturnType<typeof createChainClient>

export function watched(client: ChainClient, reach: Reach): ChainClient {
  const rpc = new Proxy(client.rpc, {
    get(target, name, receiver) {
      if (name !== 'request') return Reflect.get(target, name, receiver)
      return async (request: { method: string }) => {
        if (request.method !== 'eth_sendRawTransaction') return target.request(request as never)
        await reach('transaction leaves')
        const answer = await target.request(request as never)
        await reach('transaction left')
        return answer
      }
    },
  })
  return { ...client, rpc }
}

export function watchedStore(store: TransactionStore, reach: Reach): TransactionStore {
  return {
    ...store,
    async put(transaction) {
      await reach('transaction signed')
      await store.put(transaction)
      await reach('transaction recorded')
    },
    async end(key, end) {
      await reach('transaction mined')
      await store.end(key, end)
      await reach('transaction end recorded')
    },
  }
}

function watchedLedger(ledger: Ledger, reach: Reach): Ledger {
  return {
    ...ledger,
    async commit(entries) {
      const what = entries.charges.length > 0 ? 'charge' : 'payment'
      await reach(`${what} taken`)
      await ledger.commit(entries)
      await reach(`${what} committed`)
    },
    async saveRedemption(redemption) {
      await reach(`redemption becomes ${redemption.state}`)
      await ledger.saveRedemption(redemption)
      await reach(`redemption is ${redemption.state}`)
    },
  }
}

/** One voucher, three paid requests with their ticks, and the settlement; what is durable is said. */
export async function playMoney(settler: Settler, payer: Payer, say: (line: Said) => void): Promise<void> {
  const { book, daemon } = settler
  const id: Hex = payer.channelId
  const tell = ({
    record,
  }: {
    record: { cumulative: bigint; ticks: number; tickValue: bigint; spent: bigint }
  }) => {
    const paid = record.cumulative + BigInt(record.ticks) * record.tickValue
    say({ paid: paid.toString(), spent: record.spent.toString() })
  }
  tell(await book.apply(id, () => ({ type: 'voucher', voucher: payer.voucher(VOUCHER, TICKS) })))
  for (let at = 1; at <= 3; at++) {
    tell(await book.apply(id, () => ({ type: 'tick', tick: payer.tick(TICKS.chain, at) })))
    const event = {
      type: 'charge',
      requestId: `request ${at}`,
      price: PRICE,
      epoch: 1n,
      service: 'query',
    } as const
    tell(await book.apply(id, () => event))
    say({ charged: event.requestId })
  }
  await daemon.redeem({ force: true })
  const [item] = (await settler.ended).items
  say({ settled: String(item?.total) })
}
