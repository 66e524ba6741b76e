import {
  addressOf,
  createTickChain,
  MAX_TICKS,
  type PaymentDomain,
  signVoucher,
  type Tick,
  verifyTick,
  verifyVoucher,
} from '@postrider/protocol/payment'
import { bytesToHex } from '@postrider/protocol/wire'
import { recoverTypedDataAddress } from 'viem'
import { createRecoverSigner } from '../../node/payments/recover-signer.ts'
import { medians } from '../measure.ts'

const DOMAIN: PaymentDomain = {
  chainId: 31337,
  contract: `0x${'11'.repeat(20)}`,
  token: `0x${'22'.repeat(20)}`,
}
const TYPES = {
  Voucher: [
    { name: 'channelId', type: 'bytes32' },
    { name: 'cumulative', type: 'uint128' },
    { name: 'tickAnchor', type: 'bytes32' },
    { name: 'tickValue', type: 'uint64' },
  ],
} as const

/** Different vouchers in one round, so that nothing can be remembered from one to the next. */
const VOUCHERS = 64
const ROUNDS = 15
const CHAINS = 32
const TICK_ROUNDS = 100

/** From typed data and signature to the signer's verdict, hashing included: viem, and what a node does. */
export async function measureVouchers(): Promise<{ viemMs: number; oursMs: number }> {
  const key = new Uint8Array(32).fill(7)
  const signer = addressOf(key)
  const recover = createRecoverSigner()
  const vouchers = Array.from({ length: VOUCHERS }, (_, at) => {
    const voucher = {
      channelId: bytesToHex(new Uint8Array(32).fill(at)),
      cumulative: 10n ** 18n + BigInt(at),
      tickAnchor: bytesToHex(new Uint8Array(32).fill(255 - at)),
      tickValue: 1_000n,
    }
    return { voucher, signature: signVoucher(DOMAIN, voucher, key) }
  })
  const { chainId, contract: verifyingContract } = DOMAIN
  const domain = { name: 'Postrider PaymentChannels', version: '1', chainId, verifyingContract }
  const check = (good: boolean) => {
    if (!good) throw new Error('a good voucher was refused')
  }
  const times = await medians(
    {
      viem: async () => {
        for (const { voucher: message, signature: bytes } of vouchers) {
          const typed = { domain, types: TYPES, primaryType: 'Voucher', message } as const
          const found = await recoverTypedDataAddress({ ...typed, signature: bytesToHex(bytes) })
          check(found.toLowerCase() === signer)
        }
      },
      ours: () => {
        for (const { voucher, signature } of vouchers)
          check(verifyVoucher(DOMAIN, voucher, signature, signer, recover))
      },
    },
    ROUNDS,
  )
  return { viemMs: times.viem / VOUCHERS, oursMs: times.ours / VOUCHERS }
}

/** One tick after the other along full chains: ms of one core for one, whatever else the machine does. */
export function measureTicks(): number {
  const chains = Array.from({ length: CHAINS }, (_, at) => {
    const chain = createTickChain(new Uint8Array(32).fill(at + 1))
    return Array.from(
      { length: MAX_TICKS + 1 },
      (_, index): Tick => ({ index, preimage: chain.preimage(index) }),
    )
  })
  const verifyAll = () => {
    for (const chain of chains) {
      for (let at = 1; at < chain.length; at++) {
        if (!verifyTick(chain[at - 1] as Tick, chain[at] as Tick)) throw new Error('a good tick was refused')
      }
    }
  }
  verifyAll()
  const before = process.cpuUsage()
  for (let round = 0; round < TICK_ROUNDS; round++) verifyAll()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000 / (TICK_ROUNDS * CHAINS * MAX_TICKS)
}
