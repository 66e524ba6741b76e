import { isPostriderError, PostriderError } from '@postrider/protocol/errors'
import {
  BaseError,
  ContractFunctionRevertedError,
  ContractFunctionZeroDataError,
  ExecutionRevertedError,
  InsufficientFundsError,
  WaitForTransactionReceiptTimeoutError,
} from 'viem'

/** What viem threw, as a coded error. `call` names what was tried. */
export function toChainError(cause: unknown, call: string): PostriderError {
  if (isPostriderError(cause)) return cause
  if (!(cause instanceof BaseError)) return unavailable(cause, call)
  const revert = cause.walk((error) => error instanceof ContractFunctionRevertedError)
  if (revert instanceof ContractFunctionRevertedError) return reverted(revert, call)
  if (cause.walk(isFundsError)) {
    return new PostriderError('CLIENT_FUNDS_MISSING', { detail: `${call}: not enough for gas`, cause })
  }
  if (cause.walk((error) => error instanceof WaitForTransactionReceiptTimeoutError)) {
    return new PostriderError('CLIENT_TIMEOUT', {
      detail: `${call}: the transaction is not mined yet`,
      cause,
    })
  }
  const refused = cause.walk(
    (error) => error instanceof ExecutionRevertedError || error instanceof ContractFunctionZeroDataError,
  )
  return refused ? failed(call, cause.shortMessage, [], cause) : unavailable(cause, call)
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

function unavailable(cause: unknown, call: string): PostriderError {
  const message = cause instanceof BaseError ? cause.shortMessage : String(cause)
  return new PostriderError('CLIENT_CHAIN_UNAVAILABLE', { detail: `${call}: ${message}`, cause })
}
