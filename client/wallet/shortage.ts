import { isPostriderError, type PostriderError } from '@postrider/protocol/errors'

// What keeps this client from paying, whichever the node.
const SHORTAGES: ReadonlySet<string> = new Set([
  'CLIENT_BUDGET_EXCEEDED',
  'CLIENT_FUNDS_MISSING',
  'CLIENT_GAS_MISSING',
  'CLIENT_FEE_TOO_HIGH',
  'CLIENT_CHAIN_UNAVAILABLE',
  'CLIENT_TRANSACTION_FAILED',
  'CLIENT_WALLET_REQUIRED',
  'CLIENT_STORAGE_FAILED',
])

/** True when the reason lies with this client and its chain, not with the node. */
export function isOwnShortage(error: unknown): error is PostriderError {
  return isPostriderError(error) && SHORTAGES.has(error.code)
}

/** True when the wallet lacks tokens, or the coin for gas: nothing helps but sending it some. */
export function isEmpty(error: unknown): error is PostriderError {
  return (
    isPostriderError(error) && (error.code === 'CLIENT_FUNDS_MISSING' || error.code === 'CLIENT_GAS_MISSING')
  )
}
