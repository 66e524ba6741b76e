import { PostriderError } from '@postrider/protocol/errors'
import type { Network } from '@postrider/protocol/network'
import { channelId, type PaymentDomain } from '@postrider/protocol/payment'
import type { Address, Hex } from '@postrider/protocol/wire'
import type {
  ChainReader,
  ChainWriter,
  ChannelState,
  Descriptor,
  Member,
  RegisteredNode,
} from '../chain/types.ts'
import { createFakeGroup } from './fake-group.ts'

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
  const faults = { offline: false, refuse: '', beforeWrite: async (_call: string) => {} }
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
    if (balance < amount) throw refused('ERC20InsufficientBalance')
    balances.set(from, balance - amount)
  }
  const change = (id: Hex, next: Partial<ChannelState>) => {
    const before = channels.get(id)
    if (!before) throw refused('PaymentChannels_WrongStatus')
    channels.set(id, { ...before, ...next })
    for (const listener of listeners) listener(id)
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
  }

  const writerFor = (address: Address): ChainWriter => ({
    address,
    async openChannel(descriptor, amount) {
      await transact('open')
      const id = channelId(descriptor, domain)
      if (channels.has(id)) throw refused('PaymentChannels_AlreadyOpened')
      spend(address, amount)
      channels.set(id, { status: 'open', deposit: amount, settled: 0n, closeAt: 0, descriptor })
      for (const listener of listeners) listener(id)
    },
    async topUpChannel(id, amount) {
      await transact('topUp')
      if (channels.get(id)?.status !== 'open') throw refused('PaymentChannels_WrongStatus')
      spend(address, amount)
      change(id, { deposit: (channels.get(id)?.deposit ?? 0n) + amount })
    },
    async requestClose(descriptor) {
      await transact('requestClose')
      change(channelId(descriptor, domain), { status: 'closing', closeAt: 1 })
    },
    async withdrawChannel(descriptor) {
      await transact('withdraw')
      change(channelId(descriptor, domain), { status: 'closed' })
    },
    withdrawRefund: () => transact('refund'),
    async registerMember(commitment, limit, cost) {
      await transact('register')
      spend(address, cost)
      const index = members.size
      members.set(commitment, { status: 'active', owner: address, index, limit, withdrawableAt: 0 })
      group.mine({ index, commitment, limit })
    },
    async leaveGroup(commitment) {
      await transact('leave')
      const member = members.get(commitment)
      if (!member) throw refused('RlnMembership_WrongStatus')
      members.set(commitment, { ...member, status: 'leaving', withdrawableAt: 1 })
      group.mine({ index: member.index, commitment: 0n, limit: 0 })
    },
    withdrawMember: () => transact('withdrawMember'),
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
      group.mine({ index: member.index, commitment: 0n, limit: 0 })
    },
    onChannel(listener: (id: Hex) => void) {
      listeners.add(listener)
    },
  }
}

export type FakeChain = ReturnType<typeof createFakeChain>

function refused(reason: string): PostriderError {
  return new PostriderError('CLIENT_TRANSACTION_FAILED', { detail: reason, data: { reason } })
}
