import type { Network } from '@postrider/protocol/network'
import { type ChainClient, rpcErrors } from '../chain/client.ts'
import { readContract } from '../chain/contracts.ts'
import { currentFees } from '../chain/fees.ts'
import { peerIdOfKey } from './peer-key.ts'

type Address = `0x${string}`

/** A registered node, as the commands speak of it. */
export type RegisteredNode = {
  stake: bigint
  withdrawal: Address
  pendingWithdrawal: Address | null
  signer: Address
  peerKey: `0x${string}`
  peerId: string
  services: number
  endpoints: readonly string[]
  prices: { publish: bigint; query: bigint; push: bigint }
  /** Unix ms when the stake may leave; null unless an exit was announced. */
  exitAt: number | null
  /** Open disputes that hold the stake. */
  locks: number
}

export const MEMBER_STATES = ['none', 'active', 'leaving', 'withdrawn', 'slashed'] as const

export type Member = {
  owner: Address
  index: number
  limit: number
  status: (typeof MEMBER_STATES)[number]
  /** Unix ms; null unless leaving. */
  withdrawableAt: number | null
}

/** Reads of the chain that need no key. Each may throw a `CHAIN_*` error. */
export type ChainReader = {
  client: ChainClient
  network: Network
  newestBlock(): Promise<{ number: bigint; timestamp: number }>
  etherOf(account: Address): Promise<bigint>
  /** Transactions of the account that are sent and not mined, as far as the endpoint knows. */
  waitingOf(account: Address): Promise<number>
  tokensOf(account: Address): Promise<bigint>
  allowance(owner: Address, spender: Address): Promise<bigint>
  /** Wei per unit of gas that a transaction would offer now. */
  feePerGas(): Promise<bigint>
  node(operator: Address): Promise<RegisteredNode | undefined>
  registryParameters(): Promise<{ minimum: bigint; unbondingSeconds: number }>
  /** The operator that holds a peer key; undefined if none. */
  operatorOf(peerKey: `0x${string}`): Promise<Address | undefined>
  member(commitment: bigint): Promise<Member | undefined>
  membershipCost(limit: number): Promise<{ deposit: bigint; burnt: bigint }>
  membershipParameters(): Promise<{ freezeSeconds: number; maximum: number }>
  /** Refunds of closed channels that the account paid for, waiting to be pulled. */
  refundOf(account: Address): Promise<bigint>
  /** Where the account's earnings are paid: itself unless it set another. */
  payoutOf(account: Address): Promise<Address>
}

const ZERO_ADDRESS = `0x${'0'.repeat(40)}`

/** @param maxFeePerGas most wei that a transaction may offer per unit of gas */
export function createChainReader(client: ChainClient, maxFeePerGas: bigint): ChainReader {
  const { rpc, network } = client
  return {
    client,
    network,
    async newestBlock() {
      const { number, timestamp } = await rpcErrors(rpc.getBlock())
      return { number, timestamp: Number(timestamp) }
    },
    etherOf: (address) => rpcErrors(rpc.getBalance({ address })),
    async waitingOf(address) {
      const [sent, mined] = await Promise.all(
        (['pending', 'latest'] as const).map((blockTag) =>
          rpcErrors(rpc.getTransactionCount({ address, blockTag })),
        ),
      )
      return Math.max(0, (sent ?? 0) - (mined ?? 0))
    },
    tokensOf: (account) => readContract(client, 'token', 'balanceOf', [account]),
    allowance: (owner, spender) => readContract(client, 'token', 'allowance', [owner, spender]),
    feePerGas: async () => (await currentFees(client, maxFeePerGas)).maxFee,
    node: (operator) => readNode(client, operator),
    async registryParameters() {
      const [, minimum, unbonding] = await readContract(client, 'nodeRegistry', 'parameters', [])
      return { minimum, unbondingSeconds: Number(unbonding) }
    },
    async operatorOf(peerKey) {
      const found = await readContract(client, 'nodeRegistry', 'operatorOf', [peerKey])
      return found === ZERO_ADDRESS ? undefined : found
    },
    member: (commitment) => readMember(client, commitment),
    async membershipCost(limit) {
      const [deposit, burnt] = await readContract(client, 'rlnMembership', 'costOf', [limit])
      return { deposit, burnt }
    },
    async membershipParameters() {
      const [, , , , freezeSeconds] = await readContract(client, 'rlnMembership', 'parameters', [])
      const maximum = await readContract(client, 'rlnMembership', 'MAX_LIMIT', [])
      return { freezeSeconds: Number(freezeSeconds), maximum: Number(maximum) }
    },
    refundOf: (account) => readContract(client, 'paymentChannels', 'refundOf', [account]),
    async payoutOf(account) {
      const payout = await readContract(client, 'paymentChannels', 'payoutAddressOf', [account])
      return payout === ZERO_ADDRESS ? account : payout
    },
  }
}

async function readNode(client: ChainClient, operator: Address): Promise<RegisteredNode | undefined> {
  const found = await readContract(client, 'nodeRegistry', 'node', [operator])
  if (found.registeredAt === 0) return undefined
  return {
    ...found,
    pendingWithdrawal: found.pendingWithdrawal === ZERO_ADDRESS ? null : found.pendingWithdrawal,
    peerId: peerIdOfKey(found.peerKey),
    exitAt: found.exitAt === 0 ? null : found.exitAt * 1000,
  }
}

async function readMember(client: ChainClient, commitment: bigint): Promise<Member | undefined> {
  const found = await readContract(client, 'rlnMembership', 'member', [commitment])
  const status = MEMBER_STATES[found.status]
  if (status === undefined || status === 'none') return undefined
  return { ...found, status, withdrawableAt: found.withdrawableAt === 0 ? null : found.withdrawableAt * 1000 }
}
