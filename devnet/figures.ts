// Figures of the story, each read from where it is true: contract events, blocks, nodes' metrics and APIs.
import { paymentChannelsAbi, rlnMembershipAbi } from '@postrider/contracts'
import type { Network } from '@postrider/protocol/network'
import type { Operator } from './operators.ts'
import type { Treasury } from './treasury.ts'

/** An amount as the HTTP API writes it. */
export type Amount = { amount: string }
export type ChannelEntry = {
  id: string
  state: string
  payer: string
  deposit: Amount
  paid: Amount
  spent: Amount
  settled: Amount
  ticks: number
}

export const units = ({ amount }: Amount): bigint => BigInt(amount)
export const sum = (values: readonly bigint[]): bigint => values.reduce((total, value) => total + value, 0n)

/** Everything that the contracts said since they were deployed. */
export async function readEvents({ contracts, deployBlock }: Network, { chain }: Treasury) {
  const from = { fromBlock: BigInt(deployBlock), strict: true } as const
  const channels = { address: contracts.paymentChannels, abi: paymentChannelsAbi, ...from } as const
  const group = { address: contracts.rlnMembership, abi: rlnMembershipAbi, ...from } as const
  const [settled, opened, joined, slashed, promises] = await Promise.all([
    chain.getContractEvents({ ...channels, eventName: 'Settled' }),
    chain.getContractEvents({ ...channels, eventName: 'ChannelOpened' }),
    chain.getContractEvents({ ...group, eventName: 'MemberRegistered' }),
    chain.getContractEvents({ ...group, eventName: 'MemberSlashed' }),
    chain.getContractEvents({ ...group, eventName: 'SlashCommitted' }),
  ])
  return { settled, opened, joined, slashed, promises }
}

/** Gas of every transaction since the deployment. */
export async function gasUsed({ deployBlock }: Network, { chain }: Treasury): Promise<bigint> {
  const head = await chain.getBlockNumber()
  const numbers = Array.from({ length: Number(head) - deployBlock + 1 }, (_, offset) =>
    BigInt(deployBlock + offset),
  )
  const blocks = await Promise.all(numbers.map((blockNumber) => chain.getBlock({ blockNumber })))
  return sum(blocks.map((block) => block.gasUsed))
}

/** The sum of one metric of a node over all its labels. */
export async function metric(operator: Operator, name: string): Promise<number> {
  const text = await operator.getText('/metrics')
  return text
    .split('\n')
    .filter((line) => line.startsWith(`postrider_${name}{`) || line.startsWith(`postrider_${name} `))
    .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
}

export async function channelsOf(operator: Operator): Promise<ChannelEntry[]> {
  const { items } = await operator.get<{ items: ChannelEntry[] }>('/v1/channels?limit=100')
  return items
}

/** Polls until a condition holds. */
export async function until(what: string, timeoutMs: number, holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + timeoutMs
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs / 1000} s in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
