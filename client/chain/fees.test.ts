import { expect, it } from 'vitest'
import { raisedFees } from './fees.ts'

const fees = (maxFeePerGas: bigint, maxPriorityFeePerGas: bigint) => ({ maxFeePerGas, maxPriorityFeePerGas })
const calm = fees(10n, 1n)

it.each([
  ['a quarter more', fees(1_000n, 100n), calm, 2_000n, fees(1_251n, 126n)],
  ['what the market asks', fees(1_000n, 100n), fees(1_800n, 300n), 2_000n, fees(1_800n, 300n)],
  ['up to the limit itself', fees(1_000n, 100n), calm, 1_101n, fees(1_101n, 126n)],
  ['nothing where nodes would not take what the limit leaves', fees(1_000n, 100n), calm, 1_100n, undefined],
  ['nothing where the tip has no room', fees(1_000n, 1_000n), calm, 1_100n, undefined],
])('a replacement offers %s', (_, before, market, limit, raised) => {
  expect(raisedFees(before, market, limit)).toEqual(raised)
})
