import fc from 'fast-check'
import {
  type Hex,
  parseCompactSignature,
  parseSignature,
  serializeCompactSignature,
  signatureToCompactSignature,
  toHex,
} from 'viem'
import { sign } from 'viem/accounts'
import { expect, test } from 'vitest'
import { toClaim } from './index.ts'

const word = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes): Hex => toHex(bytes))
const ANCHOR = toHex(1, { size: 32 })
const terms = { cumulative: 1n, tickAnchor: ANCHOR, tickValue: 2n }

test('every signature becomes its compact form', async () => {
  await fc.assert(
    fc.asyncProperty(word, word, async (hash, privateKey) => {
      const signature = await sign({ hash, privateKey, to: 'hex' })
      const { r, yParityAndS } = parseCompactSignature(
        serializeCompactSignature(signatureToCompactSignature(parseSignature(signature))),
      )
      const claim = toClaim({ ...terms, signature })
      expect({ r: claim.r, vs: claim.vs }).toEqual({ r, vs: yParityAndS })
    }),
    { numRuns: 30 },
  )
})

test('without a tick the claim is of the voucher alone', () => {
  const signature: Hex = `0x${'11'.repeat(64)}1b`
  expect(toClaim({ ...terms, signature })).toMatchObject({ ...terms, tickCount: 0 })
  const preimage = toHex(7, { size: 32 })
  expect(toClaim({ ...terms, signature }, { count: 3, preimage })).toMatchObject({
    tickCount: 3,
    tickPreimage: preimage,
  })
})

test('a signature that is not 65 bytes with v 27 or 28 is refused', () => {
  for (const bad of [
    '',
    '11'.repeat(64),
    `${'11'.repeat(64)}1d`,
    `${'11'.repeat(64)}00`,
    `${'11'.repeat(65)}1b`,
  ]) {
    expect(() => toClaim({ ...terms, signature: `0x${bad}` })).toThrow(RangeError)
  }
})
