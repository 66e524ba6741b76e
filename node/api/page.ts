import { PostriderError } from '@postrider/protocol/errors'
import type { Page, PageRequest } from './types.ts'

/**
 * One page of a list that is in memory, ordered by key, so that items which come and go between two requests
 * neither repeat nor shift the others. The cursor is the last key that was shown.
 *
 * @param keyOf a key that is unique and never changes
 */
export function paginate<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
  { cursor, limit }: PageRequest,
): Page<Item> {
  const after = cursor === undefined ? undefined : decodeCursor(cursor)
  const sorted = items
    .map((item) => ({ key: keyOf(item), item }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .filter(({ key }) => after === undefined || key > after)
  const shown = sorted.slice(0, limit)
  const last = shown.at(-1)
  return {
    items: shown.map(({ item }) => item),
    nextCursor: last && sorted.length > shown.length ? encodeCursor(last.key) : null,
  }
}

/** Makes a cursor of a key; opaque to clients, so that it may change. */
export const encodeCursor = (key: string): string => Buffer.from(key).toString('base64url')

/** @throws PostriderError `API_CURSOR_INVALID` */
export function decodeCursor(cursor: string): string {
  const key = Buffer.from(cursor, 'base64url').toString()
  if (key === '' || encodeCursor(key) !== cursor) throw new PostriderError('API_CURSOR_INVALID')
  return key
}
