import { addressOf } from '@postrider/protocol/payment'
import { bytesToHex } from '@postrider/protocol/wire'
import { expect, it } from 'vitest'
import { testWallet } from '../testing/fake-network.ts'
import { createChannelKeys, createWallet } from './keys.ts'

const keys = createChannelKeys(testWallet(1))
const place = { chainId: 1, contract: `0x${'11'.repeat(20)}`, payee: `0x${'22'.repeat(20)}` } as const

it('gives every payee, number, chain and wallet a salt and signer of its own, and always the same', () => {
  const other = createChannelKeys(testWallet(2))
  const salts = [
    keys.salt(place, 0),
    keys.salt(place, 1),
    keys.salt({ ...place, chainId: 2 }, 0),
    keys.salt({ ...place, payee: place.contract }, 0),
    other.salt(place, 0),
  ]
  expect(new Set(salts).size).toBe(5)
  const signers = salts.map((salt) => keys.signer(salt))
  expect(new Set(signers.map(({ address }) => address)).size).toBe(5)
  expect(signers[0]).toEqual(keys.signer(keys.salt(place, 0)))
  expect(addressOf(signers[0]!.key)).toBe(signers[0]!.address)
  expect(signers.map(({ address }) => address)).not.toContain(testWallet(1).account.address.toLowerCase())
})

it('makes another tick chain for every voucher', () => {
  const voucher = { channelId: `0x${'33'.repeat(32)}`, cumulative: 5n, tickValue: 1n } as const
  const anchors = [voucher, { ...voucher, cumulative: 6n }, { ...voucher, tickValue: 2n }].map((one) =>
    bytesToHex(keys.ticks(one).anchor),
  )
  expect(new Set(anchors).size).toBe(3)
})

it.each(['', 'xyz', '11'.repeat(31), '00'.repeat(32), 'ff'.repeat(32)])(
  'refuses %j as a private key without quoting it',
  (privateKey) => {
    try {
      createWallet({ privateKey })
      expect.unreachable()
    } catch (error) {
      expect(error).toMatchObject({ code: 'CLIENT_WALLET_INVALID' })
      if (privateKey) expect(JSON.stringify([(error as Error).message, error])).not.toContain(privateKey)
    }
  },
)

it('takes a key with or without 0x and white space around it', () => {
  const hex = '11'.repeat(32)
  const [first, second] = [` 0x${hex}\n`, hex].map((privateKey) => createWallet({ privateKey }))
  expect(first!.account.address).toBe(second!.account.address)
  expect(first!.secret).toEqual(second!.secret)
})
