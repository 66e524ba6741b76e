import { PostriderError } from '@postrider/protocol/errors'
import type { Network } from '@postrider/protocol/network'
import { channelId, type PaymentDomain } from '@postrider/protocol/payment'
import type { Address, Hex } from '@postrider/protocol/wire'
import { tokensMissing } from '../chain/errors.ts'
import { wordOf } from '../chain/movements.ts'
import type {
  ChainReader,
  ChainWriter,
  ChannelState,
  Descriptor,
  Keep,
  Member,
  RegisteredNode,
  SignedTransaction,
} from '../chain/types.ts'
import { createFakeGroup } from './fake-group.ts'
import { createFakeHistory } from './fake-history.ts'

const NO_CHANNEL: ChannelState = { status: 'none', deposit: 0n, settled: 0n, closeAt: 0 }
const NOBODY: Member = { status: 'none', owner: '0x', index: 0, limit: 0, withdrawableAt: 0 }
const PRICE_PER_MESSAGE = 10n

/** The four contracts in memory, with faults to order. Rules follow the contracts where a client can see them. */
export function createFakeChain(network: Network) {
  const { chainId, contracts } = network
  const domain: PaymentDomain = { chainId, contract: contracts.paymentChannels, token: contracts.token }
  const nodes: RegisteredNode[] = []
  const channels = new Map<Hex, ChannelState & { descriptor: Descriptor }>()
  const members = new Map<bigint, Member>()
  const balances = new Map<Address, bigint>()
  const group = createFakeGroup()
  const listeners = new Set<(id: Hex) => void>()
  const faults = {
    offline: false,
    refuse: '',
    /** How far the newest block's time is from the machine's. */
    clockOffsetMs: 0,
    beforeWrite: async (_call: string) => {},
  }
  const history = createFakeHistory(() => Date.now() + faults.clockOffsetMs)
  const calls: string[] = []

  const up = <T>(value: T): T => {
    if (faults.offline) throw new PostriderError('CLIENT_CHAIN_UNAVAILABLE')
    return value
  }
  const transact = async (call: string) => {
    calls.push(call)
    await faults.beforeWrite(call)
    up(undefined)
    if (faults.refuse) throw refused(faults.refuse)
  }
  const spend = (from: Address, amount: bigint) => {
    const balance = balances.get(from) ?? 0n
    if (balance < amount) throw tokensMissing(from, contracts.token, balance, amount)
    balances.set(from, balance - amount)
  }
  const change = (id: Hex, next: Partial<ChannelState>) => {
    const before = channels.get(id)
    if (!before) throw refused('PaymentChannels_WrongStatus')
    const after = { ...before, ...next }
    channels.set(id, after)
    history.mine(history.between(id, before.descriptor.payee, before, after))
    for (const listener of listeners) listener(id)
  }
  // A transaction that was kept can be sent again by its bytes, as on a real chain.
  const sent = new Map<Hex, { run(): void; mined: boolean }>()
  let takeBack = () => {}
  const mine = (transaction: { run(): void; mined: boolean }) => {
    const before = { channels: new Map(channels), balances: new Map(balances), height: history.height() }
    transaction.run()
    transaction.mined = true
    takeBack = () => {
      transaction.mined = false
      restore(channels, before.channels)
      restore(balances, before.balances)
      history.cut(before.height)
      for (const id of channels.keys()) for (const listener of listeners) listener(id)
    }
  }
  const deliver = async (call: string, keep: Keep | undefined, run: () => void) => {
    if (faults.offline || faults.refuse) return transact(call)
    const hash = wordOf(BigInt(sent.size + 1))
    const transaction = { run, mined: false }
    sent.set(hash, transaction)
    await keep?.({ hash, raw: hash, nonce: sent.size })
    calls.push(call)
    await faults.beforeWrite(call)
    mine(transaction)
  }

  const reader: ChainReader = {
    ...group.reader,
    checkChain: async () => up(undefined),
    nodes: async () => up([...nodes]),
    channel: async (id) => up(channels.get(id) ?? NO_CHANNEL),
    member: async (commitment) => up(members.get(commitment) ?? NOBODY),
    membershipCost: async (limit) => ({ deposit: BigInt(limit) * PRICE_PER_MESSAGE, burnt: BigInt(limit) }),
    tokenBalance: async (account) => up(balances.get(account) ?? 0n),
    refundOf: async () => up(0n),
    head: async () => up(history.head()),
    block: async (number) => up(history.block(number)),
    movements: async (_of, from, to) => up(history.movements(from, to)),
    holdings: async (of) =>
      up({
        channels: of.channels.map((channelId) => ({ channelId, ...(channels.get(channelId) ?? NO_CHANNEL) })),
        refunds: 0n,
        members: of.members.map((commitment) => {
          const { status, limit } = members.get(BigInt(commitment)) ?? NOBODY
          return { commitment, status, deposit: BigInt(limit) * PRICE_PER_MESSAGE, burnt: BigInt(limit) }
        }),
      }),
    gasPaid: async () => up(0n),
  }

  const writerFor = (address: Address): ChainWriter => ({
    address,
    openChannel: (descriptor, amount, keep) =>
      deliver('open', keep, () => {
        const id = channelId(descriptor, domain)
        if (channels.has(id)) throw refused('PaymentChannels_AlreadyOpened')
        spend(address, amount)
        channels.set(id, { status: 'open', deposit: amount, settled: 0n, closeAt: 0, descriptor })
        history.mine([{ kind: 'open', amount, channelId: id, operator: descriptor.payee }])
        for (const listener of listeners) listener(id)
      }),
    topUpChannel: (id, amount, keep) =>
      deliver('topUp', keep, () => {
        if (channels.get(id)?.status !== 'open') throw refused('PaymentChannels_WrongStatus')
        spend(address, amount)
        change(id, { deposit: (channels.get(id)?.deposit ?? 0n) + amount })
      }),
    async requestClose(descriptor) {
      await transact('requestClose')
      change(channelId(descriptor, domain), { status: 'closing', closeAt: 1 })
    },
    async withdrawChannel(descriptor) {
      await transact('withdraw')
      change(channelId(descriptor, domain), { status: 'closed' })
    },
    withdrawRefund: () => transact('refund'),
    registerMember: (commitment, limit, cost, keep) =>
      deliver('register', keep, () => {
        spend(address, cost)
        const index = members.size
        members.set(commitment, { status: 'active', owner: address, index, limit, withdrawableAt: 0 })
        group.mine({ index, commitment, limit })
        const deposit = BigInt(limit) * PRICE_PER_MESSAGE
        history.mine([
          { kind: 'memberDeposit', amount: deposit, commitment: wordOf(commitment) },
          { kind: 'memberBurnt', amount: cost - deposit, commitment: wordOf(commitment) },
        ])
      }),
    async leaveGroup(commitment) {
      await transact('leave')
      const member = members.get(commitment)
      if (!member) throw refused('RlnMembership_WrongStatus')
      members.set(commitment, { ...member, status: 'leaving', withdrawableAt: 1 })
      history.mine([{ kind: 'memberLeft', amount: 0n, commitment: wordOf(commitment) }])
      group.mine({ index: member.index, commitment: 0n, limit: 0 })
    },
    withdrawMember: () => transact('withdrawMember'),
    close: () => undefined,
    async conclude({ hash }: SignedTransaction) {
      const transaction = up(sent.get(hash))
      if (!transaction) return 'void'
      if (!transaction.mined) mine(transaction)
      return 'mined'
    },
  })

  return {
    domain,
    reader,
    writerFor,
    nodes,
    group,
    faults,
    /** Transactions in their order. */
    calls,
    channels,
    change,
    mint: (to: Address, amount: bigint) => void balances.set(to, (balances.get(to) ?? 0n) + amount),
    /** Ends a membership as a slashing does. */
    slash(commitment: bigint) {
      const member = members.get(commitment)
      if (!member) return
      members.set(commitment, { ...member, status: 'slashed' })
      const amount = BigInt(member.limit) * PRICE_PER_MESSAGE
      history.mine([{ kind: 'memberSlashed', amount, commitment: wordOf(commitment) }])
      group.mine({ index: member.index, commitment: 0n, limit: 0 })
    },
    /** A reorganisation without the last transaction that opened, topped up or registered; it can be sent again. */
    reorganise: () => takeBack(),
    onChannel(listener: (id: Hex) => void) {
      listeners.add(listener)
    },
  }
}

export type FakeChain = ReturnType<typeof createFakeChain>

function restore<K, V>(map: Map<K, V>, earlier: ReadonlyMap<K, V>): void {
  map.clear()
  for (const [key, value] of earlier) map.set(key, value)
}

function refused(reason: string): PostriderError {
  return new PostriderError('CLIENT_TRANSACTION_FAILED', { detail: reason, data: { reason } })
}
