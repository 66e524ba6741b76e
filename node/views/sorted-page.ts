import { decodeCursor, encodeCursor } from '../api/index.ts'
import type { Page, PageRequest } from '../api/types.ts'

/**
 * One page of a list in memory that is sorted by key already. As the API's `paginate`, without sorting again for
 * every page.
 *
 * @param keyOf a key that is unique, never changes, and ascends along the list
 */
export function pageOfSorted<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
  { cursor, limit }: PageRequest,
): Page<Item> {
  const start = cursor === undefined ? 0 : firstAfter(items, keyOf, decodeCursor(cursor))
  const shown = items.slice(start, start + limit)
  const last = shown.at(-1)
  return {
    items: shown,
    nextCursor: last && start + limit < items.length ? encodeCursor(keyOf(last)) : null,
  }
}

function firstAfter<Item>(items: readonly Item[], keyOf: (item: Item) => string, key: string): number {
  let low = 0
  let high = items.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (keyOf(items[middle] as Item) > key) high = middle
    else low = middle + 1
  }
  return low
}
