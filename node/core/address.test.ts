import { describe, expect, it } from 'vitest'
import { readAddress } from './address.ts'

// From EIP-55.
const ADDRESSES = [
  '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed',
  '0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359',
  '0x52908400098527886E0F7030069857D2E4169EE7',
  '0xde709f2102306220921060314715629080e2fb77',
]

describe('an address', () => {
  it.each(ADDRESSES)('%s is read in any case and written with its checksum', (address) => {
    const digits = address.slice(2)
    for (const text of [address, `0x${digits.toLowerCase()}`, `0x${digits.toUpperCase()}`]) {
      expect(readAddress(text)).toBe(address)
    }
  })

  it.each([
    '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD',
    '0x5aaeb6053F3E94C9b9A09f33669435E7Ef1BeAed',
    '5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed',
    '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe',
    '0X5AAEB6053F3E94C9B9A09F33669435E7EF1BEAED',
    'vitalik.eth',
    '',
  ])('%s is refused', (text) => {
    expect(readAddress(text)).toBeUndefined()
  })
})
