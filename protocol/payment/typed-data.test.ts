import { secp256k1 } from '@noble/curves/secp256k1.js'
import {
  encodeAbiParameters,
  hashTypedData,
  keccak256,
  parseSignature,
  recoverTypedDataAddress,
  signatureToCompactSignature,
} from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { describe, expect, it } from 'vitest'
import { bytes, bytesOf, uint } from '../testing/arbitraries.ts'
import { fc } from '../testing/fc.ts'
import { bytesToHex, type Hex } from '../wire/index.ts'
import {
  addressOf,
  type Bind,
  channelId,
  compactSignature,
  hashBind,
  hashVoucher,
  type PaymentDomain,
  recoverSigner,
  signBind,
  signVoucher,
  type Voucher,
  verifyBind,
  verifyVoucher,
} from './index.ts'

const hexOf = (length: number) => bytesOf(length).map((value) => bytesToHex(value))
const domainOf = fc.record({
  chainId: fc.integer({ min: 1, max: 2 ** 31 }),
  contract: hexOf(20),
  token: hexOf(20),
})
const voucherOf = fc.record({
  channelId: hexOf(32),
  cumulative: uint(128),
  tickAnchor: hexOf(32),
  tickValue: uint(64),
})
const keyOf = bytesOf(32).filter((key) => secp256k1.utils.isValidSecretKey(key))

const key = new Uint8Array(32).fill(7)
const signer = addressOf(key)
const domain: PaymentDomain = {
  chainId: 31337,
  contract: `0x${'aa'.repeat(20)}`,
  token: `0x${'bb'.repeat(20)}`,
}
const voucher: Voucher = {
  channelId: `0x${'01'.repeat(32)}`,
  cumulative: 5n,
  tickAnchor: `0x${'02'.repeat(32)}`,
  tickValue: 3n,
}
const bind: Bind = {
  channelId: voucher.channelId,
  nonce: `0x${'03'.repeat(32)}`,
  clientPeerId: Uint8Array.of(1),
  nodePeerId: Uint8Array.of(2),
}

const types = {
  Voucher: [
    { name: 'channelId', type: 'bytes32' },
    { name: 'cumulative', type: 'uint128' },
    { name: 'tickAnchor', type: 'bytes32' },
    { name: 'tickValue', type: 'uint64' },
  ],
  Bind: [
    { name: 'channelId', type: 'bytes32' },
    { name: 'nonce', type: 'bytes32' },
    { name: 'clientPeer', type: 'bytes32' },
    { name: 'nodePeer', type: 'bytes32' },
  ],
} as const
const viemDomain = ({ chainId, contract }: PaymentDomain) => ({
  name: 'Postrider PaymentChannels',
  version: '1',
  chainId,
  verifyingContract: contract,
})

describe('against viem', () => {
  it('vouchers have the same digest and signature', async () => {
    await fc.assert(
      fc.asyncProperty(domainOf, voucherOf, keyOf, async (anyDomain, message, privateKey) => {
        const typed = { domain: viemDomain(anyDomain), types, primaryType: 'Voucher' as const, message }
        expect(bytesToHex(hashVoucher(anyDomain, message))).toBe(hashTypedData(typed))
        const account = privateKeyToAccount(bytesToHex(privateKey))
        const signature = signVoucher(anyDomain, message, privateKey)
        expect(bytesToHex(signature)).toBe(await account.signTypedData(typed))
        expect(verifyVoucher(anyDomain, message, signature, account.address)).toBe(true)
        expect(await recoverTypedDataAddress({ ...typed, signature: bytesToHex(signature) })).toBe(
          account.address,
        )
        const { r, yParityAndS } = signatureToCompactSignature(parseSignature(bytesToHex(signature)))
        expect(compactSignature(signature)).toEqual({ r, vs: yParityAndS })
      }),
      { numRuns: 25 },
    )
  })

  it('binds have the same digest', () => {
    fc.assert(
      fc.property(
        domainOf,
        hexOf(32),
        hexOf(32),
        bytes(),
        bytes(),
        (anyDomain, id, nonce, clientPeerId, nodePeerId) => {
          const message = {
            channelId: id,
            nonce,
            clientPeer: keccak256(clientPeerId),
            nodePeer: keccak256(nodePeerId),
          }
          const expected = hashTypedData({
            domain: viemDomain(anyDomain),
            types,
            primaryType: 'Bind',
            message,
          })
          expect(bytesToHex(hashBind(anyDomain, { channelId: id, nonce, clientPeerId, nodePeerId }))).toBe(
            expected,
          )
        },
      ),
    )
  })

  it('channels have the same id', () => {
    fc.assert(
      fc.property(
        domainOf,
        hexOf(20),
        hexOf(20),
        hexOf(20),
        hexOf(32),
        (anyDomain, payer, payee, channelSigner, salt) => {
          const words = ['address', 'address', 'address', 'bytes32', 'address', 'address', 'uint256'].map(
            (type) => ({ type }),
          )
          const { token, contract, chainId } = anyDomain
          const expected = keccak256(
            encodeAbiParameters(words, [payer, payee, token, salt, channelSigner, contract, BigInt(chainId)]),
          )
          expect(channelId({ payer, payee, signer: channelSigner, salt }, anyDomain)).toBe(expected)
        },
      ),
    )
  })
})

describe('a signature is good for', () => {
  const signature = signVoucher(domain, voucher, key)
  const other: Hex = `0x${'ff'.repeat(32)}`

  it('its own voucher, signer, channel, contract and chain only', () => {
    expect(verifyVoucher(domain, voucher, signature, signer)).toBe(true)
    expect(verifyVoucher(domain, voucher, signature, signer.toUpperCase().replace('0X', '0x'))).toBe(true)
    for (const change of [
      { channelId: other },
      { cumulative: 6n },
      { tickAnchor: other },
      { tickValue: 4n },
    ]) {
      expect(verifyVoucher(domain, { ...voucher, ...change }, signature, signer)).toBe(false)
    }
    for (const change of [{ chainId: 1 }, { contract: `0x${'cc'.repeat(20)}` as const }]) {
      expect(verifyVoucher({ ...domain, ...change }, voucher, signature, signer)).toBe(false)
    }
    expect(verifyVoucher(domain, voucher, signature, addressOf(new Uint8Array(32).fill(8)))).toBe(false)
  })

  it('its own connection', () => {
    const bound = signBind(domain, bind, key)
    expect(verifyBind(domain, bind, bound, signer)).toBe(true)
    for (const change of [
      { nonce: other },
      { clientPeerId: Uint8Array.of(9) },
      { nodePeerId: Uint8Array.of(9) },
      { channelId: other },
    ]) {
      expect(verifyBind(domain, { ...bind, ...change }, bound, signer)).toBe(false)
    }
  })

  it('nothing when it is malleable, short, long or out of range', () => {
    const { n } = secp256k1.Point.CURVE()
    const s = BigInt(bytesToHex(signature.subarray(32, 64)))
    const highS = signature.slice()
    highS.set(
      Uint8Array.from(
        (n - s)
          .toString(16)
          .padStart(64, '0')
          .match(/../g)!
          .map((d) => Number.parseInt(d, 16)),
      ),
      32,
    )
    highS[64] = highS[64] === 27 ? 28 : 27
    const withV = (v: number) => signature.with(64, v)
    const zero = new Uint8Array(65).with(64, 27)
    const overflow = new Uint8Array(65).fill(255).with(64, 27)
    for (const bad of [
      highS,
      withV(0),
      withV(1),
      withV(29),
      signature.subarray(0, 64),
      new Uint8Array(66),
      new Uint8Array(),
      zero,
      overflow,
    ]) {
      expect(verifyVoucher(domain, voucher, bad, signer)).toBe(false)
    }
  })

  it('nobody when it is random; recovery never throws', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          bytes(80),
          bytesOf(65),
          bytesOf(64).map((rs) => Uint8Array.from([...rs, 27])),
        ),
        (random) => {
          expect(verifyVoucher(domain, voucher, random, signer)).toBe(false)
          recoverSigner(new Uint8Array(32), random)
        },
      ),
    )
  })

  it('has a compact form only when it has one', () => {
    expect(() => compactSignature(signature.with(64, 1))).toThrow(
      expect.objectContaining({ code: 'PAYMENT_SIGNATURE_INVALID' }),
    )
    expect(() => compactSignature(new Uint8Array(64))).toThrow(
      expect.objectContaining({ code: 'PAYMENT_SIGNATURE_INVALID' }),
    )
  })
})
