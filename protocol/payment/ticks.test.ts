import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { bytes, bytesOf } from '../testing/arbitraries.ts'
import { fc } from '../testing/fc.ts'
import { createTickChain, MAX_TICKS, verifyTick } from './index.ts'

const seed = new Uint8Array(32).fill(1)
const chain = createTickChain(seed)
const tick = (index: number) => ({ index, preimage: chain.preimage(index) })

describe('tick chain', () => {
  it('ends in the seed and starts in the anchor', () => {
    expect(chain.preimage(MAX_TICKS)).toEqual(seed)
    expect(chain.preimage(0)).toEqual(chain.anchor)
    for (let i = 1; i <= MAX_TICKS; i++) {
      expect(new Uint8Array(createHash('sha256').update(chain.preimage(i)).digest())).toEqual(
        chain.preimage(i - 1),
      )
    }
  })

  it.each([-1, 65, 0.5])('has no preimage %s', (index) => {
    expect(() => chain.preimage(index)).toThrow(expect.objectContaining({ code: 'PAYMENT_TICKS_EXHAUSTED' }))
  })

  it('needs a seed of 32 bytes', () => {
    expect(() => createTickChain(new Uint8Array(31))).toThrow(
      expect.objectContaining({ code: 'PAYMENT_TICK_INVALID' }),
    )
  })

  it('does not let callers change it', () => {
    chain.anchor.fill(0)
    chain.preimage(1).fill(0)
    expect(verifyTick(tick(0), tick(1))).toBe(true)
  })
})

describe('verifyTick', () => {
  it('accepts every later tick of the chain and no earlier or equal one', () => {
    fc.assert(
      fc.property(bytesOf(32), fc.nat(MAX_TICKS), fc.nat(MAX_TICKS), (anySeed, from, to) => {
        const any = createTickChain(anySeed)
        const at = (index: number) => ({ index, preimage: any.preimage(index) })
        expect(verifyTick(at(from), at(to))).toBe(to > from)
      }),
    )
  })

  it('accepts nothing that is not the preimage for its index', () => {
    fc.assert(
      fc.property(bytes(40), fc.integer({ min: -2, max: 70 }), (preimage, index) => {
        expect(verifyTick(tick(0), { index, preimage })).toBe(false)
      }),
    )
    expect(verifyTick(tick(0), { index: 1, preimage: chain.preimage(2) })).toBe(false)
    expect(verifyTick(tick(0), { index: 2, preimage: chain.preimage(1) })).toBe(false)
    expect(verifyTick(tick(0), { index: 0.5, preimage: chain.preimage(1) })).toBe(false)
  })

  it('is bounded', () => {
    const long = createTickChain(seed, 100)
    const at = (index: number) => ({ index, preimage: long.preimage(index) })
    expect(verifyTick(at(0), at(65))).toBe(false)
    expect(verifyTick(at(0), at(10), 9)).toBe(false)
    expect(verifyTick(at(60), at(100), 100)).toBe(true)
  })
})
