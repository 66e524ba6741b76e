import { msToTimestamp } from '@postrider/protocol/wire'
import { expect, it } from 'vitest'
import { createManualClock } from '../testing/clock.ts'
import { createStamper } from './outgoing.ts'

const START_MS = 1_700_000_000_000
const DAY_MS = 86_400_000

it('stamps no two messages alike, also when the clock stands still or goes back a little', () => {
  const clock = createManualClock(START_MS)
  const stamp = createStamper(clock)
  const stamps = [stamp(), stamp()]
  clock.set(START_MS - 19_000)
  stamps.push(stamp())
  clock.set(START_MS + 1)
  stamps.push(stamp())
  const start = msToTimestamp(START_MS)
  expect(stamps).toEqual([start, start + 1n, start + 2n, start + 1_000_000n])
})

it('follows the clock again when one that was far ahead is set right', () => {
  const clock = createManualClock(START_MS + DAY_MS)
  const stamp = createStamper(clock)
  stamp()
  clock.set(START_MS)
  expect(stamp()).toBe(msToTimestamp(START_MS))
})
