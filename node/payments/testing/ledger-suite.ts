import { createHash } from 'node:crypto'
import type { Hex } from '@postrider/protocol/wire'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type {
  AccountRecord,
  ChargeRecord,
  Ledger,
  LedgerEntries,
  RedemptionRecord,
  RedemptionState,
} from '../types.ts'
import { createMemoryLedger } from './memory-ledger.ts'

const MAX_AMOUNT = 2n ** 128n - 1n

/** 32 bytes that follow from a text, as hex. */
export const hex32 = (text: string | number): Hex =>
  `0x${createHash('sha256').update(String(text)).digest('hex')}`
/** 20 bytes that follow from a text, as hex. */
export const hex20 = (text: string | number): Hex => hex32(text).slice(0, 42) as Hex

/** An account as it may be on disk. */
export function accountRecord(seed: number, overrides: Partial<AccountRecord> = {}): AccountRecord {
  return {
    channelId: hex32(`channel ${seed}`),
    descriptor: {
      payer: hex20(`payer ${seed}`),
      payee: hex20('payee'),
      signer: hex20(`signer ${seed}`),
      salt: hex32(`salt ${seed}`),
    },
    status: 'open',
    deposit: 1_000n,
    settled: 0n,
    closeAt: 0,
    cumulative: 0n,
    tickAnchor: `0x${'00'.repeat(32)}`,
    tickValue: 0n,
    signature: undefined,
    ticks: 0,
    tickPreimage: undefined,
    spent: 0n,
    paidMs: undefined,
    updatedMs: 1,
    ...overrides,
  }
}

export function chargeRecord(seed: number, overrides: Partial<ChargeRecord> = {}): ChargeRecord {
  return {
    channelId: hex32('channel 0'),
    requestId: `request ${seed}`,
    service: 'query',
    price: 10n,
    epoch: 7n,
    createdMs: 1_000 + seed,
    ...overrides,
  }
}

export function redemptionRecord(seed: number, overrides: Partial<RedemptionRecord> = {}): RedemptionRecord {
  return {
    id: `r-${String(seed).padStart(6, '0')}`,
    state: 'approved',
    items: [{ channelId: hex32('channel 0'), total: 50n, amount: 20n, status: 'open', reason: undefined }],
    txHash: undefined,
    reason: undefined,
    createdMs: seed,
    updatedMs: seed,
    ...overrides,
  }
}

const amountArbitrary = fc.bigInt({ min: 0n, max: MAX_AMOUNT })

const accountArbitrary = fc
  .record({
    seed: fc.nat(5),
    status: fc.constantFrom('open' as const, 'closing' as const, 'closed' as const),
    amounts: fc.tuple(amountArbitrary, amountArbitrary, amountArbitrary, amountArbitrary, amountArbitrary),
    signed: fc.boolean(),
    closeAt: fc.nat(2_000_000_000),
    ticks: fc.nat(64),
    ms: fc.nat(2_000_000_000_000),
  })
  .map(({ seed, status, amounts, signed, closeAt, ticks, ms }) => {
    const [deposit, settled, cumulative, tickValue, spent] = amounts
    return accountRecord(seed, {
      status,
      deposit,
      settled,
      closeAt,
      cumulative,
      tickValue,
      tickAnchor: hex32(`anchor ${seed}`),
      ticks,
      spent,
      signature: signed ? new Uint8Array(65).fill(seed) : undefined,
      tickPreimage: signed ? hex32(`preimage ${seed}`) : undefined,
      paidMs: signed ? ms : undefined,
      updatedMs: ms,
    })
  })

const chargeArbitrary = fc
  .record({ account: fc.nat(2), request: fc.nat(20), at: fc.nat(50), price: amountArbitrary })
  .map(({ account, request, at, price }) =>
    chargeRecord(request, {
      channelId: hex32(`channel ${account}`),
      createdMs: at,
      price,
      epoch: BigInt(at),
    }),
  )

/** What every ledger must do. `open` gives an empty one. */
export function describeLedger(
  name: string,
  open: () => Promise<{ ledger: Ledger; close(): Promise<void> }>,
): void {
  describe(`ledger: ${name}`, () => {
    let ledger: Ledger
    let close: () => Promise<void>
    beforeEach(async () => {
      ;({ ledger, close } = await open())
    })
    afterEach(() => close())

    it('knows nothing at first', async () => {
      expect(await ledger.account(hex32('none'))).toBeUndefined()
      expect(await ledger.accounts({ limit: 10 })).toEqual([])
      expect(await ledger.charges(hex32('none'), 10)).toEqual([])
      expect(await ledger.redemption('none')).toBeUndefined()
      expect(await ledger.redemptions({ limit: 10 })).toEqual([])
      await ledger.commit({ accounts: [], charges: [] })
    })

    it('gives every field back, at its extremes too', async () => {
      const full = accountRecord(1, {
        status: 'closing',
        deposit: MAX_AMOUNT,
        settled: MAX_AMOUNT,
        closeAt: 4_000_000_000,
        cumulative: MAX_AMOUNT,
        tickAnchor: hex32('anchor'),
        tickValue: 2n ** 64n - 1n,
        signature: new Uint8Array(65).fill(255),
        ticks: 64,
        tickPreimage: hex32('preimage'),
        spent: MAX_AMOUNT,
        paidMs: 1_700_000_000_000,
        updatedMs: 1_700_000_000_001,
      })
      const empty = accountRecord(2)
      await ledger.commit({ accounts: [full, empty], charges: [chargeRecord(1, { price: MAX_AMOUNT })] })
      expect(await ledger.account(full.channelId)).toEqual(full)
      expect(await ledger.account(empty.channelId)).toEqual(empty)
      expect(await ledger.charges(hex32('channel 0'), 9)).toEqual([chargeRecord(1, { price: MAX_AMOUNT })])
    })

    it('replaces an account, and a charge with the same request id', async () => {
      await ledger.commit({ accounts: [accountRecord(1)], charges: [chargeRecord(1)] })
      await ledger.commit({
        accounts: [accountRecord(1, { spent: 9n })],
        charges: [chargeRecord(1, { epoch: 8n })],
      })
      expect((await ledger.account(accountRecord(1).channelId))?.spent).toBe(9n)
      expect(await ledger.charges(hex32('channel 0'), 9)).toEqual([chargeRecord(1, { epoch: 8n })])
    })

    it('lists accounts page by page and the newest charges of one', async () => {
      const accounts = Array.from({ length: 7 }, (_, seed) => accountRecord(seed))
      const charges = Array.from({ length: 7 }, (_, seed) => chargeRecord(seed))
      await ledger.commit({ accounts, charges: [...charges, chargeRecord(1, { channelId: hex32('other') })] })
      const listed: AccountRecord[] = []
      for (let after: Hex | undefined; ; ) {
        const page = await ledger.accounts({ limit: 3, ...(after ? { after } : {}) })
        listed.push(...page)
        after = page.at(-1)?.channelId
        if (page.length < 3) break
      }
      expect(listed).toEqual([...accounts].sort((a, b) => (a.channelId < b.channelId ? -1 : 1)))
      expect(await ledger.charges(hex32('channel 0'), 3)).toEqual(charges.slice(-3))
    })

    it('writes a commit of many accounts and charges whole', async () => {
      const accounts = Array.from({ length: 600 }, (_, seed) => accountRecord(seed))
      const charges = Array.from({ length: 1_300 }, (_, seed) => chargeRecord(seed))
      await ledger.commit({ accounts, charges })
      expect(await ledger.accounts({ limit: 1_000 })).toHaveLength(600)
      expect(await ledger.charges(hex32('channel 0'), 2_000)).toHaveLength(1_300)
    })

    it('forgets old charges', async () => {
      await ledger.commit({ accounts: [], charges: [1, 2, 3].map((seed) => chargeRecord(seed)) })
      await ledger.pruneCharges(1_003)
      expect(await ledger.charges(hex32('channel 0'), 9)).toEqual([chargeRecord(3)])
    })

    it('keeps redemptions with their items and lists them newest first', async () => {
      const states: RedemptionState[] = ['proposed', 'approved', 'done', 'failed', 'rejected', 'approved']
      const records = states.map((state, seed) =>
        redemptionRecord(seed, { state, ...(seed % 2 === 0 && { closes: true }) }),
      )
      for (const record of records) await ledger.saveRedemption(record)
      const items = [
        { channelId: hex32('a'), total: 9n, amount: 4n, status: 'settled' as const, reason: undefined },
        { channelId: hex32('b'), total: 9n, amount: 0n, status: 'skipped' as const, reason: 'NotGrowing' },
      ].sort((a, b) => (a.channelId < b.channelId ? -1 : 1))
      const done = redemptionRecord(5, {
        state: 'done',
        txHash: hex32('tx'),
        reason: 'why',
        items,
        updatedMs: 99,
      })
      await ledger.saveRedemption(done)
      expect(await ledger.redemption(done.id)).toEqual(done)
      expect((await ledger.redemptions({ limit: 10 })).map(({ id }) => id)).toEqual(
        records.map(({ id }) => id).reverse(),
      )
      const open = await ledger.redemptions({ limit: 10, states: ['proposed', 'approved'] })
      expect(open.map(({ id }) => id)).toEqual([records[1]?.id, records[0]?.id])
      const older = await ledger.redemptions({ limit: 2, before: records[4]?.id ?? '' })
      expect(older.map(({ id }) => id)).toEqual([records[3]?.id, records[2]?.id])
    })

    it('holds after any sequence of commits what the reference holds', async () => {
      const entries: fc.Arbitrary<LedgerEntries> = fc.record({
        accounts: fc.uniqueArray(accountArbitrary, { maxLength: 4, selector: ({ channelId }) => channelId }),
        charges: fc.uniqueArray(chargeArbitrary, {
          maxLength: 8,
          selector: ({ channelId, requestId }) => channelId + requestId,
        }),
      })
      await fc.assert(
        fc.asyncProperty(fc.array(entries, { maxLength: 6 }), fc.nat(50), async (commits, pruneAt) => {
          const { ledger: subject, close: closeSubject } = await open()
          const reference = createMemoryLedger()
          for (const one of [subject, reference]) {
            for (const commit of commits) await one.commit(commit)
            await one.pruneCharges(pruneAt)
          }
          expect(await subject.accounts({ limit: 100 })).toEqual(await reference.accounts({ limit: 100 }))
          for (const account of [0, 1, 2]) {
            const id = hex32(`channel ${account}`)
            expect(await subject.charges(id, 5)).toEqual(await reference.charges(id, 5))
          }
          await closeSubject()
        }),
        { numRuns: 30 },
      )
    })
  })
}
