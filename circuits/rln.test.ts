// The circuit itself, through its witness calculator: which statements can be made and which cannot.
import { beforeAll, describe, expect, it } from 'vitest'
import { SCALAR_MODULUS } from './engine/constants.ts'
import { toWitnessInputs } from './engine/inputs.ts'
import type { RlnInputs } from './engine/types.ts'
import { createWitnessCalculator, type WitnessCalculator, type WitnessInputs } from './engine/witness.ts'
import { loadArtifacts } from './index.ts'
import { expectedSignals, memberInputs } from './testing/member.ts'

let circuit: WitnessCalculator

beforeAll(async () => {
  circuit = await createWitnessCalculator((await loadArtifacts()).wasm)
})

/** Public signals of a witness: wires 1 to 5. */
function signals(witness: Uint8Array): bigint[] {
  const wire = (i: number) => {
    const bytes = witness.subarray(i * 32, i * 32 + 32).toReversed()
    return BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
  }
  return [1, 2, 3, 4, 5].map(wire)
}

/** Inputs past the checks that the prover makes, so that only the constraints can refuse them. */
function unchecked(changes: Partial<Record<keyof RlnInputs, readonly bigint[]>>): WitnessInputs {
  return { ...toWitnessInputs(memberInputs()), ...changes }
}

describe('RLN circuit', () => {
  it('publishes y, root, nullifier, x and externalNullifier of a member', () => {
    const inputs = memberInputs()
    expect(signals(circuit.calculate(toWitnessInputs(inputs)))).toEqual(expectedSignals(inputs))
  })

  it.each([0, 9])('accepts message id %i of a limit of 10', (messageId) => {
    const inputs = memberInputs({ messageId })
    expect(signals(circuit.calculate(toWitnessInputs(inputs)))).toEqual(expectedSignals(inputs))
  })

  it('accepts the largest limit and its last message id', () => {
    const inputs = memberInputs({ userMessageLimit: 65_535, messageId: 65_534 })
    expect(signals(circuit.calculate(toWitnessInputs(inputs)))).toEqual(expectedSignals(inputs))
  })

  it.each([
    ['message id equal to the limit', { messageId: [10n] }],
    ['message id above the limit', { messageId: [11n] }],
    ['message id beyond 16 bits', { messageId: [65_536n], userMessageLimit: [65_535n] }],
    ['"negative" message id', { messageId: [SCALAR_MODULUS - 1n] }],
    ['limit beyond 16 bits', { userMessageLimit: [65_536n] }],
    ['"negative" limit', { userMessageLimit: [SCALAR_MODULUS - 1n] }],
    ['limit of 0', { userMessageLimit: [0n], messageId: [0n] }],
  ])('has no witness for a %s', (_, changes) => {
    expect(() => circuit.calculate(unchecked(changes))).toThrow(
      expect.objectContaining({ code: 'CIRCUITS_WITNESS_INVALID' }),
    )
  })

  it.each([2n, SCALAR_MODULUS - 1n])('has no witness for path index %s', (bit) => {
    const identityPathIndex = [...toWitnessInputs(memberInputs()).identityPathIndex!]
    identityPathIndex[7] = bit
    expect(() => circuit.calculate(unchecked({ identityPathIndex }))).toThrow(
      expect.objectContaining({ code: 'CIRCUITS_WITNESS_INVALID' }),
    )
  })

  it.each<[string, Partial<RlnInputs>]>([
    ['sibling', { pathElements: memberInputs().pathElements.with(3, 1n) }],
    ['path bit', { identityPathIndex: memberInputs().identityPathIndex.with(3, 1) }],
    ['limit', { userMessageLimit: 11 }],
    ['secret', { identitySecret: 1n }],
  ])('gives another root, which no verifier knows, for a wrong %s', (_, changes) => {
    const [, root] = signals(circuit.calculate(toWitnessInputs(memberInputs(changes))))
    expect(root).not.toBe(expectedSignals(memberInputs())[1])
  })

  it('gives one nullifier per message id and epoch, whatever the message', () => {
    const nullifier = (changes: Partial<RlnInputs>) =>
      signals(circuit.calculate(toWitnessInputs(memberInputs(changes))))[2]
    expect(nullifier({ x: 1n })).toBe(nullifier({ x: 2n }))
    expect(nullifier({ messageId: 4 })).not.toBe(nullifier({}))
    expect(nullifier({ externalNullifier: 1n })).not.toBe(nullifier({}))
  })
})

describe('prover inputs', () => {
  it.each<[string, Partial<RlnInputs>]>([
    ['messageId', { messageId: 10 }],
    ['messageId', { messageId: -1 }],
    ['userMessageLimit', { userMessageLimit: 65_536 }],
    ['userMessageLimit', { userMessageLimit: 0 }],
    ['x', { x: 0n }],
    ['x', { x: SCALAR_MODULUS }],
    ['identitySecret', { identitySecret: -1n }],
    ['pathElements', { pathElements: [1n] }],
    ['identityPathIndex', { identityPathIndex: memberInputs().identityPathIndex.with(0, 2) }],
    ['identityPathIndex', { identityPathIndex: [] }],
  ])('refuses a bad %s and names it without its value', (input, changes) => {
    expect(() => toWitnessInputs(memberInputs(changes))).toThrow(
      expect.objectContaining({ code: 'CIRCUITS_INPUT_INVALID', data: { input } }),
    )
  })

  it('refuses a wrong number of values, whatever their names', () => {
    for (const inputs of [unchecked({ x: [1n, 2n] }), {}]) {
      expect(() => circuit.calculate(inputs)).toThrow(
        expect.objectContaining({ code: 'CIRCUITS_INPUT_INVALID' }),
      )
    }
  })
})
