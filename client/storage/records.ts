import { PostriderError } from '@postrider/protocol/errors'
import type { Storage } from './types.ts'

/** A plain record: text, numbers, flags and bigints, nested at will. */
export type RecordValue =
  | string
  | number
  | boolean
  | bigint
  | readonly RecordValue[]
  | { readonly [key: string]: RecordValue | undefined }

const BIGINT_PREFIX = 'n:'
const TEXT_PREFIX = 's:'

/** Bytes of a record: JSON in UTF-8 in which every string carries a prefix, `s:` for text and `n:` for bigint. */
export function encodeRecord(value: RecordValue): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(mark(value)))
}

/**
 * The record in the bytes.
 *
 * @throws PostriderError `CLIENT_STORAGE_CORRUPT`
 */
export function decodeRecord<T extends RecordValue>(key: string, bytes: Uint8Array): T {
  try {
    return unmark(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))) as T
  } catch (cause) {
    throw new PostriderError('CLIENT_STORAGE_CORRUPT', { detail: key, data: { key }, cause })
  }
}

/** The record under a key, if there is one. */
export async function getRecord<T extends RecordValue>(
  storage: Storage,
  key: string,
): Promise<T | undefined> {
  const bytes = await storage.get(key)
  return bytes && decodeRecord<T>(key, bytes)
}

/** Writes a record; durable when the promise resolves. */
export function putRecord(storage: Storage, key: string, value: RecordValue): Promise<void> {
  return storage.put(key, encodeRecord(value))
}

/** Every record under a prefix. */
export async function listRecords<T extends RecordValue>(
  storage: Storage,
  prefix: string,
): Promise<{ key: string; value: T }[]> {
  const found = await storage.list(prefix)
  return found.map(({ key, value }) => ({ key, value: decodeRecord<T>(key, value) }))
}

function mark(value: RecordValue): unknown {
  if (typeof value === 'bigint') return BIGINT_PREFIX + value
  if (typeof value === 'string') return TEXT_PREFIX + value
  if (Array.isArray(value)) return value.map(mark)
  if (typeof value !== 'object') return value
  const entries = Object.entries(value).filter(([, field]) => field !== undefined)
  return Object.fromEntries(entries.map(([key, field]) => [key, mark(field as RecordValue)]))
}

function unmark(value: unknown): RecordValue {
  if (typeof value === 'string') return unmarkString(value)
  if (Array.isArray(value)) return value.map(unmark)
  if (typeof value !== 'object' || value === null) return value as RecordValue
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, unmark(field)]))
}

function unmarkString(value: string): string | bigint {
  return value.startsWith(BIGINT_PREFIX)
    ? BigInt(value.slice(BIGINT_PREFIX.length))
    : value.slice(TEXT_PREFIX.length)
}
