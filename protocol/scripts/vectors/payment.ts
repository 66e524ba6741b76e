import {
  addressOf,
  type Bind,
  type ClientPaymentFrame,
  channelId,
  compactSignature,
  createTickChain,
  domainSeparator,
  encodeClientFrame,
  encodeNodeFrame,
  hashBind,
  hashVoucher,
  NO_TICKS,
  type NodePaymentFrame,
  type PaymentDomain,
  signBind,
  signVoucher,
  type Voucher,
} from '../../payment/index.ts'
import { bytesToHex, type Hex } from '../../wire/index.ts'
import type { VectorFile } from './format.ts'

const repeat = (byte: string, length: number): Hex => `0x${byte.repeat(length)}`

const PRIVATE_KEY = new Uint8Array(32).fill(7)
const SIGNER = addressOf(PRIVATE_KEY)
const DOMAIN: PaymentDomain = { chainId: 31_337, contract: repeat('aa', 20), token: repeat('bb', 20) }
const DESCRIPTOR = {
  payer: repeat('cc', 20),
  payee: repeat('dd', 20),
  signer: SIGNER,
  salt: repeat('ee', 32),
}
const CHANNEL = channelId(DESCRIPTOR, DOMAIN)
const SEED = new Uint8Array(32).fill(9)
const CHAIN = createTickChain(SEED)

const VOUCHERS: Voucher[] = [
  { channelId: CHANNEL, cumulative: 0n, tickAnchor: NO_TICKS, tickValue: 0n },
  { channelId: CHANNEL, cumulative: 1_500n, tickAnchor: bytesToHex(CHAIN.anchor), tickValue: 25n },
  {
    channelId: CHANNEL,
    cumulative: 2n ** 128n - 1n,
    tickAnchor: repeat('ff', 32),
    tickValue: 2n ** 64n - 1n,
  },
]
const BIND: Bind = {
  channelId: CHANNEL,
  nonce: repeat('01', 32),
  clientPeerId: Uint8Array.of(0, 36, 8, 1),
  nodePeerId: Uint8Array.of(0, 36, 8, 2),
}

const GROUP_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

export function paymentVectors(): VectorFile {
  return {
    description:
      'Payments: channel id, EIP-712 digests and signatures, ticks, frames. docs/protocol/payment.md',
    domain: { ...DOMAIN, separator: domainSeparator(DOMAIN) },
    channel: { ...DESCRIPTOR, channelId: CHANNEL },
    signer: { privateKey: PRIVATE_KEY, address: SIGNER },
    vouchers: VOUCHERS.map((voucher) => {
      const signature = signVoucher(DOMAIN, voucher, PRIVATE_KEY)
      return {
        ...voucher,
        digest: hashVoucher(DOMAIN, voucher),
        signature,
        compact: compactSignature(signature),
      }
    }),
    binds: [{ ...BIND, digest: hashBind(DOMAIN, BIND), signature: signBind(DOMAIN, BIND, PRIVATE_KEY) }],
    badSignatures: badSignatures(),
    ticks: {
      seed: SEED,
      anchor: CHAIN.anchor,
      preimages: [1, 2, 3, 63, 64].map((index) => ({ index, preimage: CHAIN.preimage(index) })),
    },
    clientFrames: clientFrames().map((frame) => ({ frame, encoded: encodeClientFrame(frame) })),
    nodeFrames: nodeFrames().map((frame) => ({ frame, encoded: encodeNodeFrame(frame) })),
  }
}

function badSignatures() {
  const voucher = VOUCHERS[1] as Voucher
  const good = signVoucher(DOMAIN, voucher, PRIVATE_KEY)
  const highS = good.slice()
  const s = GROUP_ORDER - BigInt(bytesToHex(good.subarray(32, 64)))
  highS.set(Buffer.from(s.toString(16).padStart(64, '0'), 'hex'), 32)
  highS[64] = good[64] === 27 ? 28 : 27
  const bad: [string, Uint8Array][] = [
    ['high s', highS],
    ['v 0 or 1 instead of 27 or 28', good.with(64, (good[64] ?? 27) - 27)],
    ['64 bytes', good.slice(0, 64)],
    ['the other v', good.with(64, good[64] === 27 ? 28 : 27)],
    ['of another voucher', signVoucher(DOMAIN, VOUCHERS[0] as Voucher, PRIVATE_KEY)],
    ['for another chain', signVoucher({ ...DOMAIN, chainId: 1 }, voucher, PRIVATE_KEY)],
    ['by another key', signVoucher(DOMAIN, voucher, new Uint8Array(32).fill(8))],
    ['zero', new Uint8Array(65)],
  ]
  return bad.map(([name, signature]) => ({ name, voucher, signature, signer: SIGNER, valid: false }))
}

function clientFrames(): ClientPaymentFrame[] {
  const voucher = VOUCHERS[1] as Voucher
  return [
    { type: 'hello', version: 1 },
    { type: 'bind', descriptor: DESCRIPTOR, signature: signBind(DOMAIN, BIND, PRIVATE_KEY) },
    { type: 'voucher', voucher: { ...voucher, signature: signVoucher(DOMAIN, voucher, PRIVATE_KEY) } },
    { type: 'tick', tick: { index: 3, preimage: CHAIN.preimage(3) } },
  ]
}

function nodeFrames(): NodePaymentFrame[] {
  const { contract, chainId } = DOMAIN
  const prices = { publish: 25n, query: 100n, push: 5n }
  return [
    {
      type: 'terms',
      terms: {
        nonce: BIND.nonce,
        chainId,
        contract,
        payee: DESCRIPTOR.payee,
        prices,
        unpaidLimit: 250n,
        maxTicks: 64,
        freeRequests: 10,
      },
    },
    {
      type: 'account',
      account: {
        channelId: CHANNEL,
        deposit: 10_000n,
        paid: 1_575n,
        spent: 1_560n,
        cumulative: 1_500n,
        tickAnchor: bytesToHex(CHAIN.anchor),
        tickValue: 25n,
        ticks: 3,
        tickPreimage: bytesToHex(CHAIN.preimage(3)),
      },
    },
    { type: 'paymentRequired', requestId: 'request-1', total: 1_600n },
    {
      type: 'error',
      code: 'PAYMENT_SIGNATURE_INVALID',
      message: 'The signature is not one of the signer of the channel',
    },
  ]
}
