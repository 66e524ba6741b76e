import { expect, it } from 'vitest'
import { missedBounds } from './bounds.ts'

it('says which figures miss their bound, and takes no figure for a miss', () => {
  const bounds = (value: number) => [
    { what: 'rate', value, atLeast: 4 },
    { what: 'time', value, below: 4 },
  ]
  expect(missedBounds(bounds(4))).toEqual(['time is 4, to reach: below 4'])
  expect(missedBounds(bounds(3.9))).toEqual(['rate is 3.9, to reach: at least 4'])
  expect(missedBounds(bounds(Number.NaN))).toHaveLength(2)
})
