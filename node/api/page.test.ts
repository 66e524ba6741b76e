import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeCursor, encodeCursor, paginate } from './page.ts'

test('walking the pages gives every item once, in order of keys', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.string({ minLength: 1 })),
      fc.integer({ min: 1, max: 5 }),
      (items, limit) => {
        const walked: string[] = []
        let cursor: string | undefined
        do {
          const page = paginate(items, (item) => item, { cursor, limit })
          expect(page.items.length).toBeLessThanOrEqual(limit)
          walked.push(...page.items)
          cursor = page.nextCursor ?? undefined
        } while (cursor !== undefined)
        expect(walked).toEqual([...items].sort((a, b) => (a < b ? -1 : 1)))
      },
    ),
  )
})

test('an item that appears between two pages moves no other', () => {
  const key = (item: string) => item
  const { nextCursor } = paginate(['b', 'd', 'f'], key, { limit: 2 })
  expect(paginate(['a', 'b', 'd', 'e', 'f'], key, { limit: 2, cursor: nextCursor! }).items).toEqual([
    'e',
    'f',
  ])
})

test('only our own cursors decode', () => {
  expect(decodeCursor(encodeCursor('0xabc'))).toBe('0xabc')
  for (const foreign of ['', '%', 'YQ==', 'Y']) {
    expect(() => decodeCursor(foreign)).toThrow(expect.objectContaining({ code: 'API_CURSOR_INVALID' }))
  }
})
