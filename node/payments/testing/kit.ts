import {
  addressOf,
  type ChannelDescriptor,
  channelId,
  createTickChain,
  NO_TICKS,
  type PaymentDomain,
  recoverSigner,
  type SignedVoucher,
  signBind,
  signVoucher,
  type Tick,
} from '@postrider/protocol/payment'
import { bytesToHex, type Hex, hexToBytes } from '@postrider/protocol/wire'
import { silentLogger } from '../../core/logger.ts'
import { createMetrics } from '../../core/metrics.ts'
import { createManualClock } from '../../core/testing/manual-clock.ts'
import { createSeededRandom } from '../../core/testing/seeded-random.ts'
import type {
  BatchResult,
  ChannelView,
  Claim,
  ClaimResult,
  EscrowView,
  Ledger,
  VoucherRedeemer,
} from '../types.ts'
import { hex20, hex32 } from './ledger-suite.ts'
import { createMemoryLedger } from './memory-ledger.ts'

export const DOMAIN: PaymentDomain = {
  chainId: 31337,
  contract: hex20('PaymentChannels'),
  token: hex20('PostToken'),
}
/** What `admitVoucher` checks by. */
export const VOUCHER_RULES = { domain: DOMAIN, recoverSigner }
export const PAYEE: Hex = hex20('payee')
export const PRICES = { publish: 10n, query: 4n, push: 1n } as const

/** What the parts of payments are built from, with a clock that moves when told. */
export function createComponents(ledger: Ledger = createMemoryLedger()) {
  return {
    ledger,
    escrow: createEscrow(),
    clock: createManualClock(),
    random: createSeededRandom('payments'),
    logger: silentLogger,
    metrics: createMetrics(),
  }
}

export type TestEscrow = EscrowView & {
  /** Changes a channel and tells the listeners; undefined removes it. */
  set(channelId: Hex, change: Partial<ChannelView> | undefined): void
  /** Opens a channel of this payer. */
  open(payer: Pick<Payer, 'channelId' | 'descriptor'>, deposit: bigint): void
  fresh: boolean
}

/** A chain that says what the test wants. */
export function createEscrow(): TestEscrow {
  const channels = new Map<Hex, ChannelView>()
  const listeners = new Set<(channelId: Hex) => void>()
  const escrow: TestEscrow = {
    fresh: true,
    isFresh: () => escrow.fresh,
    channel: (id) => channels.get(id),
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    set(id, change) {
      const before = channels.get(id)
      if (change && before) channels.set(id, { ...before, ...change })
      else channels.delete(id)
      for (const listener of listeners) listener(id)
    },
    open({ descriptor, channelId: id }, deposit) {
      channels.set(id, { descriptor, status: 'open', deposit, settled: 0n, closeAt: 0 })
      for (const listener of listeners) listener(id)
    },
  }
  return escrow
}

export type Payer = {
  descriptor: ChannelDescriptor
  channelId: Hex
  /** A voucher with the chain of ticks of `chain`, if one is named. */
  voucher(cumulative: bigint, ticks?: { chain: string; value: bigint }): SignedVoucher
  tick(chain: string, index: number): Tick
  bind(connection: { nonce: Hex; clientPeerId: Uint8Array; nodePeerId: Uint8Array }): Uint8Array
}

/** A payer with keys of its own; `domain` and `payee` are what it signs for, `payer` the account that deposits. */
export function createPayer(
  name: string,
  {
    domain = DOMAIN,
    payee = PAYEE,
    payer = hex20(name),
  }: { domain?: PaymentDomain; payee?: Hex; payer?: Hex } = {},
): Payer {
  const key = hexToBytes(hex32(`key of ${name}`))
  const descriptor = { payer, payee, signer: addressOf(key), salt: hex32(`salt of ${name}`) }
  const id = channelId(descriptor, domain)
  const chainOf = (chain: string) => createTickChain(hexToBytes(hex32(`${name} ${chain}`)))
  return {
    descriptor,
    channelId: id,
    voucher(cumulative, ticks) {
      const tickAnchor = ticks ? bytesToHex(chainOf(ticks.chain).anchor) : NO_TICKS
      const voucher = { channelId: id, cumulative, tickAnchor, tickValue: ticks?.value ?? 0n }
      return { ...voucher, signature: signVoucher(domain, voucher, key) }
    },
    tick: (chain, index) => ({ index, preimage: chainOf(chain).preimage(index) }),
    bind: (connection) => signBind(domain, { channelId: id, ...connection }, key),
  }
}

export type TestRedeemer = VoucherRedeemer & {
  /** Cost of one claim, whatever the batch. */
  cost: bigint
  /** Every transaction by its key, with the claims that it carried when it was first sent. */
  sent: Map<string, readonly Claim[]>
  /** Keys of those that ended their channels. */
  closed: Set<string>
  /** Decides what becomes of the next transactions; settles everything when absent. */
  respond?: ((key: string, claims: readonly Claim[]) => Promise<BatchResult> | BatchResult) | undefined
}

/** A contract that settles what it is sent, once per key, and shows it in `escrow`. */
export function createRedeemer(escrow: TestEscrow): TestRedeemer {
  const results = new Map<string, BatchResult>()
  const redeemer: TestRedeemer = {
    cost: 1n,
    sent: new Map(),
    claimCost: async () => redeemer.cost,
    closed: new Set(),
    async settleMany(key, claims) {
      const before = results.get(key)
      if (before) return before
      const result = redeemer.respond ? await redeemer.respond(key, claims) : settleAll(escrow, key, claims)
      redeemer.sent.set(key, claims)
      results.set(key, result)
      return result
    },
    async closeMany(key, claims) {
      const before = results.get(key)
      if (before) return before
      const result = closeAll(escrow, key, claims)
      redeemer.sent.set(key, claims)
      redeemer.closed.add(key)
      results.set(key, result)
      return result
    },
  }
  return redeemer
}

/** What the contract does with claims that end their channels. */
function closeAll(escrow: TestEscrow, key: string, claims: readonly Claim[]): BatchResult {
  const { txHash, results } = settleAll(escrow, key, claims)
  const ended = new Map(results)
  for (const { channelId: id } of claims) {
    const { settled } = escrow.channel(id) as ChannelView
    if (results.get(id)?.status === 'skipped') ended.set(id, { status: 'settled', settled, amount: 0n })
    escrow.set(id, { status: 'closed' })
  }
  return { status: 'mined', txHash, results: ended }
}

/** What the contract does with claims. */
export function settleAll(
  escrow: TestEscrow,
  key: string,
  claims: readonly Claim[],
): Extract<BatchResult, { status: 'mined' }> {
  const results = new Map<Hex, ClaimResult>()
  for (const { channelId: id, cumulative, tickCount, tickValue } of claims) {
    const total = cumulative + BigInt(tickCount) * tickValue
    const channel = escrow.channel(id) as ChannelView | undefined
    if (!channel || channel.status === 'closed') {
      results.set(id, { status: 'skipped', reason: 'WrongStatus' })
    } else if (total <= channel.settled) {
      results.set(id, { status: 'skipped', reason: 'NotGrowing' })
    } else {
      escrow.set(id, { settled: total })
      results.set(id, { status: 'settled', settled: total, amount: total - channel.settled })
    }
  }
  return { status: 'mined', txHash: hex32(key), results }
}
