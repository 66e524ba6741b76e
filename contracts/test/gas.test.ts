import { expect, test } from 'vitest'
import { compareGas, GAS_TARGETS, measureGas, readGasSnapshot } from '../scripts/gas.ts'

test('gas is as committed in snapshots/gas.json and within its targets', async () => {
  // After a change on purpose: node contracts/scripts/gas.ts
  expect(compareGas(await measureGas(), await readGasSnapshot())).toEqual([])
})

test('a change, a missing number and a missed target are told apart', () => {
  const within = Object.fromEntries(Object.keys(GAS_TARGETS).map((name) => [name, 1]))
  expect(compareGas(within, within)).toEqual([])
  expect(compareGas({ ...within, open: 2 }, within)).toEqual(['open: snapshot 1, measured 2'])
  expect(compareGas({ ...within, close: 2 }, within)).toEqual(['close: snapshot missing, measured 2'])
  const high = { ...within, open: 72_001 }
  expect(compareGas(high, high)).toEqual(['open: measured 72001, target 72000'])
})
