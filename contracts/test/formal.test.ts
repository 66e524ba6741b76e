import { describe, expect, test } from 'vitest'
import { FAULTS, MODELS, prove } from '../scripts/prove.ts'

/** The first fault of each model; `node contracts/scripts/prove.ts` seeds them all. */
const firstFaults = MODELS.map((model) => FAULTS.find((fault) => fault.model === model) ?? FAULTS[0])

describe('the solver', () => {
  test.each(MODELS)('proves every assertion of %s', (model) => {
    const { proven, refuted, faults } = prove(model)
    expect({ refuted, faults }).toEqual({ refuted: [], faults: [] })
    expect(proven.length).toBeGreaterThan(0)
  })

  test.each(firstFaults)('refutes $model when it says "$to" for "$from"', (fault) => {
    if (fault === undefined) throw new RangeError('a model without a fault')
    expect(prove(fault.model, fault).refuted.length).toBeGreaterThan(0)
  })
})
