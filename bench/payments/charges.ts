import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../node/core/clock.ts'
import { openDatabase } from '../../node/core/db/index.ts'
import { silentLogger } from '../../node/core/logger.ts'
import { createMetrics } from '../../node/core/metrics.ts'
import { createAccountBook } from '../../node/payments/book.ts'
import { createFreeAllowance } from '../../node/payments/free.ts'
import { createGate } from '../../node/payments/gate.ts'
import { createPrismaLedger } from '../../node/payments/ledger/prisma.ts'
import { createEscrow, createPayer, PRICES } from '../../node/payments/testing/kit.ts'

/** Payers of a busy node, and what each of them has under way. */
const ACCOUNTS = 64
const IN_FLIGHT = 32
const PER_ACCOUNT = 320
const ROUNDS = 3

/**
 * Charges through gate, account reducer and group commit into a database file, each resolved only when it is on
 * disk: the best of a few rounds, charges a second.
 */
export async function measureCharges(): Promise<number> {
  const dir = await mkdtemp(join(tmpdir(), 'postrider-bench-'))
  const database = await openDatabase(join(dir, 'node.db'))
  try {
    const ledger = createPrismaLedger(database)
    const { escrow, payers } = openChannels()
    const base = { clock: systemClock, logger: silentLogger, metrics: createMetrics() }
    const book = createAccountBook({ ledger, escrow, ...base }, { unpaidLimit: 10n ** 17n, freeRequests: 0 })
    const gate = createGate(
      {
        ...base,
        book,
        escrow,
        free: createFreeAllowance(0),
        channelOf: (peer) => payers[Number(peer)]?.channelId,
        requirePayment: () => undefined,
      },
      { prices: PRICES, freeEpochSeconds: 600 },
    )
    for (const { channelId, descriptor } of payers) await book.hold(channelId, descriptor)

    let request = 0
    const client = async (peer: string): Promise<void> => {
      for (let i = 0; i < PER_ACCOUNT / IN_FLIGHT; i++) {
        const result = await gate.charge({ peer, requestId: String(request++), service: 'query' })
        if (!result.ok) throw new Error('a charge was refused')
      }
    }
    let best = 0
    for (let round = 0; round < ROUNDS; round++) {
      const before = performance.now()
      await Promise.all(
        payers.flatMap((_, peer) => Array.from({ length: IN_FLIGHT }, () => client(String(peer)))),
      )
      best = Math.max(best, (ACCOUNTS * PER_ACCOUNT * 1000) / (performance.now() - before))
    }
    return best
  } finally {
    await database.close()
    await rm(dir, { recursive: true })
  }
}

function openChannels() {
  const escrow = createEscrow()
  const payers = Array.from({ length: ACCOUNTS }, (_, at) => createPayer(`payer ${at}`))
  for (const payer of payers) escrow.open(payer, 10n ** 18n)
  return { escrow, payers }
}
