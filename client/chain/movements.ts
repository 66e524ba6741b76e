import { paymentChannelsAbi, rlnMembershipAbi } from '@postrider/contracts'
import type { Address, Hex } from '@postrider/protocol/wire'
import { bigIntToBytes, bytesToHex } from '@postrider/protocol/wire'
import { decodeEventLog, type RpcLog } from 'viem'
import type { Movement, MovementKind } from './types.ts'

const abi = [...paymentChannelsAbi, ...rlnMembershipAbi]

/** What one event of the contracts says. */
type Told = Pick<Movement, 'kind' | 'amount' | 'channelId' | 'operator' | 'commitment'>

type Decoded = ReturnType<typeof decodeEventLog<typeof abi>>

/** The movements in logs of both contracts, in the chain's order; a log that was given twice counts once. */
export function toMovements(logs: readonly RpcLog[]): Movement[] {
  const found = new Map<string, Movement>()
  for (const log of logs) {
    const { blockNumber, blockHash, logIndex, transactionHash } = log
    // A pending log has no place in the chain yet.
    if (!blockNumber || !blockHash || !logIndex || !transactionHash || log.removed) continue
    const place = {
      block: BigInt(blockNumber),
      blockHash,
      transaction: transactionHash,
      log: Number(logIndex),
    }
    told(log).forEach((movement, part) => {
      found.set(`${place.block}/${place.log}/${part}`, { ...place, part, ...movement })
    })
  }
  return [...found.values()].sort(inOrder)
}

function inOrder(a: Movement, b: Movement): number {
  if (a.block !== b.block) return a.block < b.block ? -1 : 1
  return a.log - b.log || a.part - b.part
}

function told({ data, topics }: RpcLog): Told[] {
  const event = decodeEventLog({ abi, data, topics: topics as [Hex, ...Hex[]] })
  return event.eventName.startsWith('Member') ? ofMembership(event) : ofChannel(event)
}

function ofChannel(event: Decoded): Told[] {
  const one = (
    kind: MovementKind,
    amount: bigint,
    at: { channelId?: Hex; operator?: Address } = {},
  ): Told[] => [{ kind, amount, ...at }]
  switch (event.eventName) {
    case 'ChannelOpened':
      return one('open', event.args.deposit, channelOf(event.args))
    case 'ChannelToppedUp':
      return one('topUp', event.args.amount, { channelId: event.args.channelId })
    case 'Settled':
      return one('settled', event.args.amount, channelOf(event.args))
    case 'CloseRequested':
      return one('closeRequested', 0n, channelOf(event.args))
    case 'ChannelClosed':
      return one('closed', event.args.refund, channelOf(event.args))
    case 'ChannelWithdrawn':
      return one('withdrawn', event.args.refund, channelOf(event.args))
    case 'RefundWithdrawn':
      return one('refund', event.args.amount)
    default:
      return []
  }
}

const channelOf = ({ channelId, payee }: { channelId: Hex; payee: Address }) => ({
  channelId,
  operator: payee,
})

function ofMembership(event: Decoded): Told[] {
  switch (event.eventName) {
    case 'MemberRegistered': {
      const { commitment, deposit, burnt } = event.args
      return [
        { kind: 'memberDeposit', amount: deposit, commitment: wordOf(commitment) },
        { kind: 'memberBurnt', amount: burnt, commitment: wordOf(commitment) },
      ]
    }
    case 'MemberLeft':
      return [{ kind: 'memberLeft', amount: 0n, commitment: wordOf(event.args.commitment) }]
    case 'MemberWithdrawn':
      return [
        { kind: 'memberWithdrawn', amount: event.args.amount, commitment: wordOf(event.args.commitment) },
      ]
    case 'MemberSlashed': {
      const { commitment, reward, burnt } = event.args
      return [{ kind: 'memberSlashed', amount: reward + burnt, commitment: wordOf(commitment) }]
    }
    default:
      return []
  }
}

/** A field element as 32 bytes in hex, as topics carry it. */
export const wordOf = (value: bigint): Hex => bytesToHex(bigIntToBytes(value, 32))
