// The way of money through a node without its network, with its own view of the chain: everything of node/chain, the
// gate, accounts, ledger and redemption, on a real chain and a real database.
import type { Network } from '@postrider/protocol/network'
import type { LocalAccount } from 'viem'
import { createChain } from '../../node/chain/index.ts'
import { createRedeemer } from '../../node/chain/redeemer.ts'
import { type Clock, systemClock } from '../../node/core/clock.ts'
import { openDatabase } from '../../node/core/db/index.ts'
import { silentLogger } from '../../node/core/logger.ts'
import { createMetrics } from '../../node/core/metrics.ts'
import { systemRandom } from '../../node/core/random.ts'
import { recordPaid } from '../../node/payments/account.ts'
import { createAccountBook } from '../../node/payments/book.ts'
import { createFreeAllowance } from '../../node/payments/free.ts'
import { createGate } from '../../node/payments/gate.ts'
import { createPrismaLedger } from '../../node/payments/ledger/prisma.ts'
import { createRedemptionDaemon, type RedemptionMode } from '../../node/payments/redemption/daemon.ts'
import type { Payer } from '../../node/payments/testing/kit.ts'
import { PRICE, TICKS, VOUCHER } from './settling.ts'

/** Served before it is paid, base units. */
const UNPAID_LIMIT = PRICE

/** The node looks at the chain when it is told to. */
const NEVER_MS = 3_600_000

export type FollowingNode = Awaited<ReturnType<typeof openFollowingNode>>

export async function openFollowingNode(setting: {
  file: string
  network: Network
  account: LocalAccount
  payer: Payer
  rpcUrls?: readonly string[]
  confirmations?: number
  mode?: RedemptionMode
  /** How wrong this machine's clock is. */
  clockOffsetMs?: number
  /** 0: any. */
  maxHeadAgeSeconds?: number
}) {
  const { network, account, payer, rpcUrls = [], confirmations = 0, mode = 'manual' } = setting
  const { channelId, descriptor } = payer
  const { clockOffsetMs = 0, maxHeadAgeSeconds = 0 } = setting
  const clock: Clock = { ...systemClock, nowMs: () => Date.now() + clockOffsetMs }
  const base = { clock, random: systemRandom, logger: silentLogger, metrics: createMetrics() }
  const database = await openDatabase(setting.file)
  const chain = createChain(
    { ...base, db: database.db },
    {
      network,
      rpcUrls,
      account,
      confirmations,
      maxBlockRange: 100,
      pollMs: NEVER_MS,
      lagSeconds: 60,
      maxHeadAgeSeconds,
      maxFeePerGas: 10n ** 12n,
    },
  )
  const { escrow, follower } = chain
  const sender = chain.sender
  const ledger = createPrismaLedger(database)
  const book = createAccountBook({ ...base, ledger, escrow }, { unpaidLimit: UNPAID_LIMIT, freeRequests: 0 })
  const gate = createGate(
    {
      ...base,
      book,
      escrow,
      free: createFreeAllowance(0),
      channelOf: () => channelId,
      requirePayment: () => undefined,
    },
    { prices: { publish: PRICE, query: PRICE, push: PRICE }, freeEpochSeconds: 600 },
  )
  const daemon = createRedemptionDaemon(
    {
      ...base,
      ledger,
      escrow,
      book,
      redeemer: createRedeemer(chain, { tokenPerNativeMilli: 0 }),
      onEvent: () => undefined,
    },
    { mode },
  )
  await follower.start()
  await follower.refresh().catch(() => undefined)
  await sender.start()
  await daemon.start()

  const accountNow = async () => {
    await book.refresh(channelId)
    return (await ledger.account(channelId))!
  }

  return {
    ledger,
    daemon,
    follower,
    client: chain.client,
    /** Looks at the chain. */
    sync: () => follower.refresh(),
    hold: () => book.hold(channelId, descriptor),
    charge: (requestId: string) => gate.charge({ peer: 'payer', requestId, service: 'query' }),
    pay: (total: bigint) =>
      book.apply(channelId, () => ({ type: 'voucher', voucher: payer.voucher(total, TICKS) })),
    tick: (index: number) =>
      book.apply(channelId, () => ({ type: 'tick', tick: payer.tick(TICKS.chain, index) })),
    /** The account on disk, with what the node's view of the chain says of its channel. */
    account: accountNow,
    /** Claims what is owed and waits until the view of the chain shows it. */
    async redeem() {
      await accountNow()
      await daemon.redeem({ force: true })
      for (;;) {
        const open = await ledger.redemptions({ limit: 1, states: ['approved'] })
        await follower.refresh().catch(() => undefined)
        if (open.length === 0) return
        await new Promise((wake) => setTimeout(wake, 20))
      }
    },
    /** What client, node and contract must agree on. */
    async figures() {
      const { spent, settled, deposit, ...record } = await accountNow()
      return { paid: recordPaid({ spent, settled, deposit, ...record }), spent, settled, deposit }
    },
    async stop() {
      await daemon.stop()
      await sender.stop()
      await follower.stop()
      await book.settle()
      chain.client.stop()
      await database.close()
    },
  }
}

/** A voucher and three paid requests. */
export async function payAndUse(node: FollowingNode, id: string): Promise<void> {
  await node.hold()
  await node.pay(VOUCHER)
  for (let at = 1; at <= 3; at++) {
    await node.tick(at)
    await node.charge(`${id} ${at}`)
  }
}
