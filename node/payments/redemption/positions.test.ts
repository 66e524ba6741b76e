import { expect, it } from 'vitest'
import { createManualClock } from '../../core/testing/manual-clock.ts'
import { newAccount } from '../account.ts'
import type { AccountRecord } from '../types.ts'
import { createPositions } from './positions.ts'

const channelId = `0x${'01'.repeat(32)}` as const
const account = `0x${'02'.repeat(20)}` as const
const descriptor = { payer: account, payee: account, signer: account, salt: channelId }

/** Paid 10 of a deposit of 4: a reorganisation took the top-up. */
const uncovered: AccountRecord = {
  ...newAccount(channelId, descriptor, 0),
  deposit: 4n,
  cumulative: 10n,
  signature: new Uint8Array(65),
}

it('knows what is owed above the deposit after a restart as before it, and claims none of it', () => {
  const before = createPositions(createManualClock())
  before.update({ ...uncovered, deposit: 10n })
  before.update(uncovered)
  const after = createPositions(createManualClock())
  after.update(uncovered)
  for (const positions of [before, after]) {
    expect(positions.figures()).toMatchObject({ earned: 10n, pending: 10n, unpaid: 0n, lost: 0n })
    expect(positions.isPaused(channelId)).toBe(true)
    expect([...positions.candidates(), ...positions.living()]).toEqual([])
  }
  expect(after.update({ ...uncovered, deposit: 10n })).toEqual([])
  expect(after.candidates()).toEqual([{ channelId, owed: 10n, urgent: false }])
})

it('counts as lost what a channel that closed under its payments did not pay', () => {
  const positions = createPositions(createManualClock())
  positions.update(uncovered)
  expect(positions.update({ ...uncovered, status: 'closed', settled: 4n })).toEqual([
    { type: 'lost', amount: 6n },
  ])
  expect(positions.figures()).toMatchObject({ earned: 10n, redeemed: 4n, pending: 0n, lost: 6n })
})
