import { describe, expect, it } from 'vitest'
import { openDatabase } from '../../core/db/index.ts'
import { createTempDir } from '../../core/testing/temp-dir.ts'
import { accountRecord, chargeRecord, describeLedger, redemptionRecord } from '../testing/ledger-suite.ts'
import { CHARGES_PER_PRUNE, createPrismaLedger } from './prisma.ts'

async function openLedger() {
  const dir = await createTempDir()
  const { close, ...database } = await openDatabase(dir.file('node.db'))
  const closeAll = async () => {
    await close()
    await dir.remove()
  }
  return { ledger: createPrismaLedger(database), path: dir.file('node.db'), db: database.db, close: closeAll }
}

describeLedger('Prisma on SQLite', openLedger)

describe('ledger in node.db', () => {
  it('is there for another connection as soon as a commit resolves', async () => {
    const { ledger, path, close } = await openLedger()
    await ledger.commit({ accounts: [accountRecord(1)], charges: [chargeRecord(1)] })
    await ledger.saveRedemption(redemptionRecord(1))
    const second = await openDatabase(path)
    const reopened = createPrismaLedger(second)
    expect(await reopened.account(accountRecord(1).channelId)).toEqual(accountRecord(1))
    expect(await reopened.charges(chargeRecord(1).channelId, 5)).toEqual([chargeRecord(1)])
    expect(await reopened.redemption(redemptionRecord(1).id)).toEqual(redemptionRecord(1))
    await second.close()
    await close()
  })

  it('forgets any number of charges, in parts', async () => {
    const { ledger, db, close } = await openLedger()
    const count = 2 * CHARGES_PER_PRUNE + 1
    const charges = Array.from({ length: count }, (_, seed) => chargeRecord(seed))
    await ledger.commit({ accounts: [], charges })
    const newest = charges.at(-1)!
    await ledger.pruneCharges(newest.createdMs)
    expect(await db.charge.count()).toBe(1)
    expect(await ledger.charges(newest.channelId, 5)).toEqual([newest])
    await close()
  })

  it('writes nothing of a commit that fails', async () => {
    const { ledger, close } = await openLedger()
    const impossible = chargeRecord(2, { price: 2n ** 128n })
    await expect(ledger.commit({ accounts: [accountRecord(1)], charges: [impossible] })).rejects.toThrow()
    expect(await ledger.accounts({ limit: 5 })).toEqual([])
    await close()
  })

  it('answers PAYMENT_LEDGER_UNAVAILABLE when the database does not', async () => {
    const { ledger, db, close } = await openLedger()
    await db.$executeRawUnsafe('DROP TABLE charges')
    await expect(
      ledger.commit({ accounts: [accountRecord(1)], charges: [chargeRecord(1)] }),
    ).rejects.toMatchObject({ code: 'PAYMENT_LEDGER_UNAVAILABLE', retryable: true })
    expect(await ledger.accounts({ limit: 5 })).toEqual([]) // the account of that commit neither
    await close()
  })
})
