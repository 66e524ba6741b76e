import { describe, expect, it } from 'vitest'
import { checkKeySetup } from './setup.ts'

const MAINNET = 1

describe('keys on a chain', () => {
  it.each([31_337, 1_337])('of a development set-up may be used on the local chain %i', (chainId) => {
    expect(checkKeySetup({ kind: 'development' }, { chainId })).toBe('development')
  })

  it.each([{ kind: 'development' }, { kind: 'Ceremony' }, { kind: 5 }, {}, undefined])(
    'of set-up %j are refused anywhere else',
    (setup) => {
      for (const chainId of [MAINNET, 10, 11_155_111]) {
        expect(() => checkKeySetup(setup, { chainId })).toThrow(
          expect.objectContaining({ code: 'CIRCUITS_DEVELOPMENT_KEYS', retryable: false }),
        )
      }
    },
  )

  it('may be allowed by whoever knows what it means', () => {
    const options = { chainId: MAINNET, allowDevelopmentKeys: true }
    expect(checkKeySetup({ kind: 'development' }, options)).toBe('development')
  })

  it('of a ceremony may be used everywhere', () => {
    for (const chainId of [MAINNET, 31_337])
      expect(checkKeySetup({ kind: 'ceremony' }, { chainId })).toBe('sound')
  })
})
