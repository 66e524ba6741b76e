import { paymentChannelsAbi, toClaim } from '@postrider/contracts'
import { isPostriderError } from '@postrider/protocol/errors'
import type { ChannelDescriptor } from '@postrider/protocol/payment'
import { type Address, bytesToHex, type Hex } from '@postrider/protocol/wire'
import { parseEventLogs, type TransactionReceipt } from 'viem'
import { abortable } from '../core/deadline.ts'
import { type ChainClient, rpcErrors } from './client.ts'
import { BATCH_GAS, CLAIM_GAS } from './constants.ts'
import { submitCall } from './contracts.ts'
import { errorNameOf } from './revert.ts'
import type { Sender } from './sender.ts'

/** The newest voucher of a channel with its newest tick. */
export type VoucherClaim = {
  channelId: Hex
  descriptor: ChannelDescriptor
  cumulative: bigint
  tickAnchor: Hex
  tickValue: bigint
  /** 65 bytes. */
  signature: Uint8Array
  tickCount: number
  /** 32 bytes; zero when no tick is claimed. */
  tickPreimage: Hex
}

/** What became of one claim of a batch. */
export type VoucherClaimResult =
  /** Total claimed since the channel was opened, and what this claim added; the burnt share included. */
  | { status: 'settled'; settled: bigint; amount: bigint }
  /** Name of the contract's error. */
  | { status: 'skipped'; reason: string }

export type BatchResult =
  | { status: 'mined'; txHash: Hex; results: ReadonlyMap<Hex, VoucherClaimResult> }
  | { status: 'reverted'; txHash?: Hex; reason: string }

/** Hands claims to the contract. */
export type Redeemer = {
  /** What each claim of a batch of this size costs at present, gas turned into base units of the token. */
  claimCost(batchSize: number): Promise<bigint>
  /**
   * Sends `settleMany` and waits for its receipt. `key` makes it idempotent, across restarts too. A refused
   * transaction is a result, not an error.
   *
   * @param signal ends the waiting; what was sent stays sent
   * @throws PostriderError as `Sender.submit` does while the outcome is open
   */
  settleMany(key: string, claims: readonly VoucherClaim[], signal?: AbortSignal): Promise<BatchResult>
  /** Sends `closeMany`: ends channels at once with their last claims; as `settleMany` otherwise. */
  closeMany(key: string, claims: readonly VoucherClaim[], signal?: AbortSignal): Promise<BatchResult>
}

export type RedeemerOptions = {
  /** Base units of the token that one wei is worth, in thousandths. */
  tokenPerNativeMilli: number
  /** Whose channels are settled; the sender's own account when absent. `closeMany` works only for the latter. */
  payee?: Address
}

export function createRedeemer(
  components: { client: ChainClient; sender: Sender },
  options: RedeemerOptions,
): Redeemer {
  const { client, sender } = components

  return {
    async claimCost(batchSize) {
      const price = await rpcErrors(client.rpc.getGasPrice())
      const gas = BATCH_GAS / BigInt(Math.max(1, batchSize)) + CLAIM_GAS
      return (price * gas * BigInt(options.tokenPerNativeMilli)) / 1000n
    },
    settleMany(key, claims, signal) {
      const args = [options.payee ?? sender.address, claims.map(toItem)] as const
      return asResult(submitCall(components, 'paymentChannels', 'settleMany', args, key), signal)
    },
    closeMany(key, claims, signal) {
      const args = [claims.map(toItem)] as const
      return asResult(submitCall(components, 'paymentChannels', 'closeMany', args, key), signal)
    },
  }
}

function toItem(item: VoucherClaim) {
  const { payer, signer, salt } = item.descriptor
  const { cumulative, tickAnchor, tickValue, tickCount, tickPreimage } = item
  const voucher = { cumulative, tickAnchor, tickValue, signature: bytesToHex(item.signature) }
  return { payer, signer, salt, claim: toClaim(voucher, { count: tickCount, preimage: tickPreimage }) }
}

async function asResult(sent: Promise<TransactionReceipt>, signal?: AbortSignal): Promise<BatchResult> {
  try {
    const receipt = await (signal ? abortable(sent, signal) : sent)
    return { status: 'mined', txHash: receipt.transactionHash, results: readResults(receipt) }
  } catch (error) {
    if (!isPostriderError(error) || error.code !== 'CHAIN_REVERTED') throw error
    const { errorName, txHash } = error.data as { errorName: string; txHash?: Hex }
    return { status: 'reverted', reason: errorName, ...(txHash && { txHash }) }
  }
}

function readResults({ logs }: TransactionReceipt): Map<Hex, VoucherClaimResult> {
  const results = new Map<Hex, VoucherClaimResult>()
  for (const { eventName, args } of parseEventLogs({ abi: paymentChannelsAbi, logs })) {
    if (eventName === 'Settled') {
      results.set(args.channelId, { status: 'settled', settled: args.settled, amount: args.amount })
    } else if (eventName === 'ClaimSkipped') {
      results.set(args.channelId, { status: 'skipped', reason: errorNameOf(args.reason) })
    } else if (eventName === 'ChannelClosed' && !results.has(args.channelId)) {
      results.set(args.channelId, { status: 'settled', settled: args.settled, amount: 0n })
    }
  }
  return results
}
