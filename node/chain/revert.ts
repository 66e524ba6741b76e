import { nodeRegistryAbi, paymentChannelsAbi, postTokenAbi, rlnMembershipAbi } from '@postrider/contracts'
import { PostriderError } from '@postrider/protocol/errors'
import type { Address, Hex } from '@postrider/protocol/wire'
import { type Abi, type AbiParameter, BaseError, decodeErrorResult, toFunctionSelector } from 'viem'
import { toChainError } from './client.ts'

/** A contract's refusal. */
export type Revert = {
  /** Name of the custom error; `Error` with a reason, `Panic` with a code, or `unknown`. */
  errorName: string
  /** Arguments by name; integers as decimal text. */
  args: Record<string, unknown>
}

const ABIS: readonly Abi[] = [nodeRegistryAbi, paymentChannelsAbi, rlnMembershipAbi, postTokenAbi]

/** Every error of our contracts once. */
const ERRORS = [
  ...new Map(
    ABIS.flat().flatMap((item) =>
      item.type === 'error' ? [[toFunctionSelector(toSignature(item)), item]] : [],
    ),
  ).values(),
]

const NO_MONEY = /insufficient funds|doesn't have enough funds/i
const HEX = /^0x([0-9a-f]{2})*$/i

/** Decodes revert data against our contracts' errors and Solidity's own. */
export function decodeRevert(data: Hex): Revert {
  try {
    const { errorName, args, abiItem } = decodeErrorResult({ abi: ERRORS, data })
    const inputs: readonly AbiParameter[] = 'inputs' in abiItem ? (abiItem.inputs ?? []) : []
    return {
      errorName,
      args: Object.fromEntries((args ?? []).map((value, at) => [inputs[at]?.name || `${at}`, plain(value)])),
    }
  } catch {
    return { errorName: 'unknown', args: { data } }
  }
}

/** The name of the custom error with this selector; the selector itself if it is not ours. */
export function errorNameOf(selector: Hex): string {
  const item = ERRORS.find(
    (error) => error.type === 'error' && toFunctionSelector(toSignature(error)) === selector,
  )
  return item?.type === 'error' ? item.name : selector
}

/** The error that tells a caller about a refusal. */
export function revertError({ errorName, args }: Revert, data: Record<string, unknown> = {}): PostriderError {
  const shown = Object.entries(args).map(([name, value]) => `${name}: ${String(value)}`)
  const detail = `${errorName}(${shown.join(', ')})`
  return new PostriderError('CHAIN_REVERTED', { detail, data: { errorName, args, ...data } })
}

/**
 * Turns what a call, an estimate or a broadcast failed with into our error: `CHAIN_REVERTED` with the decoded
 * refusal, `CHAIN_INSUFFICIENT_GAS_MONEY`, or what `toChainError` says.
 */
export function toSendError(error: unknown, account: Address): PostriderError {
  const coded = toChainError(error)
  if (coded.code !== 'CHAIN_RPC_FAILED') return coded
  if (error instanceof BaseError && NO_MONEY.test(`${error.details} ${error.message}`)) {
    return new PostriderError('CHAIN_INSUFFICIENT_GAS_MONEY', {
      detail: account,
      data: { account },
      cause: error,
    })
  }
  const data = revertData(error)
  if (data !== undefined) return revertError(decodeRevert(data))
  return /revert/i.test(coded.message) ? revertError({ errorName: 'unknown', args: {} }) : coded
}

/** Finds revert data in an error's causes; servers put it at `data` or one level below. */
function revertData(error: unknown): Hex | undefined {
  for (let inner: unknown = error; inner instanceof Error; inner = inner.cause) {
    if (!('data' in inner)) continue
    const { data } = inner
    if (isHex(data)) return data
    if (typeof data === 'object' && data !== null && 'data' in data && isHex(data.data)) return data.data
  }
  return undefined
}

function isHex(value: unknown): value is Hex {
  return typeof value === 'string' && HEX.test(value)
}

function toSignature({ name, inputs }: { name: string; inputs: readonly AbiParameter[] }): string {
  return `${name}(${inputs.map(({ type }) => type).join(',')})`
}

function plain(value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value
}
