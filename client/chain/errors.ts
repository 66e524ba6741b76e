import { isPostriderError, PostriderError } from '@postrider/protocol/errors'
import { formatAmount } from '@postrider/protocol/payment'
import type { Address } from '@postrider/protocol/wire'
import {
  BaseError,
  ContractFunctionRevertedError,
  ContractFunctionZeroDataError,
  ExecutionRevertedError,
  formatEther,
  getAddress,
  InsufficientFundsError,
} from 'viem'

/** What viem threw, as a coded error. `call` names what was tried. */
export function toChainError(cause: unknown, call: string): PostriderError {
  if (isPostriderError(cause)) return cause
  if (!(cause instanceof BaseError)) return unavailable(cause, call)
  const revert = cause.walk((error) => error instanceof ContractFunctionRevertedError)
  if (revert instanceof ContractFunctionRevertedError) return reverted(revert, call)
  if (cause.walk(isFundsError)) {
    return new PostriderError('CLIENT_GAS_MISSING', { detail: `${call}: not enough for gas`, cause })
  }
  const refused = cause.walk(
    (error) => error instanceof ExecutionRevertedError || error instanceof ContractFunctionZeroDataError,
  )
  return refused ? failed(call, cause.shortMessage, [], cause) : unavailable(cause, call)
}

/** Tokens that a wallet lacks. Amounts are base units. */
export function tokensMissing(
  address: Address,
  token: Address,
  balance: bigint,
  needed: bigint,
): PostriderError {
  const missing = needed - balance
  return new PostriderError('CLIENT_FUNDS_MISSING', {
    detail: `${formatAmount(missing)} more must be sent to ${address} for a payment of ${formatAmount(needed)}`,
    data: { asset: 'token', address, token: getAddress(token), ...amounts({ balance, needed, missing }) },
  })
}

/** The chain's own coin that a wallet lacks for a transaction, at the price that it offers for gas. Amounts are wei. */
export function gasMissing(address: Address, call: string, balance: bigint, needed: bigint): PostriderError {
  const missing = needed - balance
  return new PostriderError('CLIENT_GAS_MISSING', {
    detail: `${call}: ${formatEther(missing)} ETH more must be sent to ${address}`,
    data: { asset: 'ETH', address, call, ...amounts({ balance, needed, missing }) },
  })
}

const amounts = (figures: Record<string, bigint>) =>
  Object.fromEntries(Object.entries(figures).map(([name, amount]) => [name, amount.toString()]))

/** Runs chain calls; what they throw becomes a coded error. `call` names them. */
export async function guard<T>(call: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (cause) {
    throw toChainError(cause, call)
  }
}

// viem knows the wording of some nodes only.
function isFundsError(error: unknown): boolean {
  return (
    error instanceof InsufficientFundsError || (error instanceof Error && FUNDS_WORDING.test(error.message))
  )
}

const FUNDS_WORDING = /insufficient funds|enough funds/i

function reverted(error: ContractFunctionRevertedError, call: string): PostriderError {
  const reason = error.data?.errorName ?? error.reason ?? error.signature ?? 'reverted'
  return failed(call, reason, error.data?.args ?? [], error)
}

/** A transaction that the chain or the contract refused. */
export function failed(
  call: string,
  reason: string,
  args: readonly unknown[],
  cause?: unknown,
): PostriderError {
  const data = { call, reason, args: args.map(String) }
  return new PostriderError('CLIENT_TRANSACTION_FAILED', { detail: `${call}: ${reason}`, data, cause })
}

/** A broadcast that an endpoint refused. That is no end: it may have the bytes, and whoever has them may get them mined. */
export function notTaken(cause: unknown): PostriderError {
  const error = toChainError(cause, 'broadcast')
  return error.code === 'CLIENT_TRANSACTION_FAILED' ? unavailable(cause, 'broadcast') : error
}

function unavailable(cause: unknown, call: string): PostriderError {
  const message = cause instanceof BaseError ? cause.shortMessage : String(cause)
  return new PostriderError('CLIENT_CHAIN_UNAVAILABLE', { detail: `${call}: ${message}`, cause })
}
