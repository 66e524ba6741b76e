import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { paginate } from '../api/index.ts'
import { pageOfSorted } from './sorted-page.ts'

describe('page of a sorted list', () => {
  it('is what the API’s own paging makes of it', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string({ minLength: 1, maxLength: 3, unit: 'grapheme-ascii' }), { maxLength: 20 }),
        fc.integer({ min: 1, max: 7 }),
        (keys, limit) => {
          const sorted = [...keys].sort((a, b) => (a < b ? -1 : 1))
          const keyOf = (key: string) => key
          let cursor: string | undefined
          do {
            const request = { limit, ...(cursor ? { cursor } : {}) }
            const page = pageOfSorted(sorted, keyOf, request)
            expect(page).toEqual(paginate(sorted, keyOf, request))
            cursor = page.nextCursor ?? undefined
          } while (cursor)
        },
      ),
    )
  })

  it('refuses a cursor that it did not give', () => {
    expect(() => pageOfSorted([], String, { cursor: '%', limit: 1 })).toThrow(
      expect.objectContaining({ code: 'API_CURSOR_INVALID' }),
    )
  })
})
