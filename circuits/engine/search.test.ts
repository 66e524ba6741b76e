// What the search for bad proofs in a batch costs, counted: combined checks and checks of one proof.
import { describe, expect, it } from 'vitest'
import { GROUP_SIZE, TABLE_SIZE } from './pairing/equation.ts'
import { findValid } from './verifier.ts'

/** Searches a full table with these bad slots. */
function search(bad: readonly number[]) {
  const isBad = new Set(bad)
  let [combined, single] = [0, 0]
  const equation = {
    holds(slot: number) {
      single++
      return !isBad.has(slot)
    },
    allHold(from: number, to: number) {
      combined++
      return !bad.some((slot) => slot >= from && slot < to)
    },
  }
  const valid = findValid(equation, 0, TABLE_SIZE, false)
  const good = Array.from({ length: TABLE_SIZE }, (_, slot) => slot).filter((slot) => !isBad.has(slot))
  expect(valid).toEqual(good)
  return { combined, single }
}

const range = (from: number, length: number) => Array.from({ length }, (_, i) => from + i)

describe('the search for bad proofs', () => {
  it('costs one check when there are none', () => {
    expect(search([])).toEqual({ combined: 1, single: 0 })
  })

  it('costs a check of the batch, two for each halving, and one group for one bad proof, wherever it is', () => {
    const halvings = Math.log2(TABLE_SIZE / GROUP_SIZE)
    for (let slot = 0; slot < TABLE_SIZE; slot++) {
      const { combined, single } = search([slot])
      expect(combined).toBeLessThanOrEqual(1 + 2 * halvings)
      expect(single).toBe(GROUP_SIZE)
    }
  })

  it('costs no more for as many as a group has, if they are neighbours', () => {
    for (let group = 0; group < TABLE_SIZE; group += GROUP_SIZE) {
      expect(search(range(group, GROUP_SIZE)).single).toBe(GROUP_SIZE)
      expect(search(range(group, GROUP_SIZE)).combined).toBeLessThanOrEqual(search([group]).combined)
    }
  })

  it('never checks a proof twice, nor more often together than there are halves', () => {
    const halves = (2 * TABLE_SIZE) / GROUP_SIZE - 1
    for (const bad of [range(0, TABLE_SIZE), range(0, TABLE_SIZE / 2).map((i) => 2 * i), range(30, 4)]) {
      const { combined, single } = search(bad)
      expect(combined).toBeLessThanOrEqual(halves)
      expect(single).toBeLessThanOrEqual(TABLE_SIZE)
    }
  })
})
