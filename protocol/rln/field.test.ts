import { describe, expect, it } from 'vitest'
import { uint } from '../testing/arbitraries.ts'
import { fc } from '../testing/fc.ts'
import {
  createIdentity,
  FIELD_MODULUS,
  identityFromSecret,
  poseidon,
  rateCommitment,
  recoverSecret,
  share,
} from './index.ts'

const element = fc.bigInt({ min: 1n, max: FIELD_MODULUS - 1n })
const invalid = expect.objectContaining({ code: 'RLN_VALUE_INVALID' })

describe('poseidon', () => {
  it('gives the known answers of circomlib', () => {
    expect(poseidon([1n])).toBe(
      18586133768512220936620570745912940619677854269274689475585506675881198879027n,
    )
    expect(poseidon([1n, 2n])).toBe(
      7853200120776062878684798364095072458815029376092732009249414926327459813530n,
    )
    expect(poseidon([1n, 2n, 3n])).toBe(
      6542985608222806190361240322586112750744169038454362455181422643027100751666n,
    )
    expect(poseidon([0n, 0n])).toBe(
      14744269619966411208579211824598458697587494354926760081771325075741142829156n,
    )
  })

  it('takes 1 to 3 field elements', () => {
    expect(() => poseidon([])).toThrow(invalid)
    expect(() => poseidon([1n, 2n, 3n, 4n])).toThrow(invalid)
    for (const value of [-1n, FIELD_MODULUS]) expect(() => poseidon([1n, value])).toThrow(invalid)
  })
})

describe('identity', () => {
  it('reduces 48 random bytes to a secret', () => {
    const identity = createIdentity((length) => new Uint8Array(length).fill(255))
    expect(identity.secret).toBe((2n ** 384n - 1n) % FIELD_MODULUS)
    expect(identity.commitment).toBe(poseidon([identity.secret]))
  })

  it('refuses a secret outside 1..p-1', () => {
    expect(() => createIdentity((length) => new Uint8Array(length))).toThrow(invalid)
    for (const secret of [0n, -1n, FIELD_MODULUS]) expect(() => identityFromSecret(secret)).toThrow(invalid)
  })

  it('makes a leaf of commitment and limit', () => {
    expect(rateCommitment(5n, 20)).toBe(poseidon([5n, 20n]))
    for (const limit of [0, 65_536, 1.5, -1]) expect(() => rateCommitment(5n, limit)).toThrow(invalid)
    for (const commitment of [0n, FIELD_MODULUS]) expect(() => rateCommitment(commitment, 1)).toThrow(invalid)
  })
})

describe('secret recovery', () => {
  it('finds the secret from any two shares of one nullifier', () => {
    fc.assert(
      fc.property(element, element, element, element, fc.nat(65_534), (secret, scope, x1, x2, messageId) => {
        fc.pre(x1 !== x2)
        const a = share(secret, scope, messageId, x1)
        const b = share(secret, scope, messageId, x2)
        expect(a.nullifier).toBe(b.nullifier)
        expect(recoverSecret({ x: x1, y: a.y }, { x: x2, y: b.y })).toBe(secret)
      }),
      { numRuns: 25 },
    )
  })

  it('gives another nullifier for another id, scope or secret', () => {
    const nullifiers = [
      share(5n, 7n, 0, 1n),
      share(5n, 7n, 1, 1n),
      share(5n, 8n, 0, 1n),
      share(6n, 7n, 0, 1n),
    ]
    expect(new Set(nullifiers.map(({ nullifier }) => nullifier)).size).toBe(4)
  })

  it('refuses equal x, and never throws anything else', () => {
    expect(() => recoverSecret({ x: 1n, y: 2n }, { x: 1n, y: 3n })).toThrow(
      expect.objectContaining({ code: 'RLN_SHARES_EQUAL' }),
    )
    fc.assert(
      fc.property(uint(256), uint(256), uint(256), uint(256), (x1, y1, x2, y2) => {
        fc.pre((x1 - x2) % FIELD_MODULUS !== 0n)
        const secret = recoverSecret({ x: x1, y: y1 }, { x: x2, y: y2 })
        expect(secret >= 0n && secret < FIELD_MODULUS).toBe(true)
      }),
    )
  })
})
