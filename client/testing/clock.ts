import { abortReason } from '../core/abort.ts'
import type { Clock } from '../core/clock.ts'

/** A clock that moves only when told. */
export type ManualClock = Clock & {
  /** Moves time forward, firing what falls due in order; promise chains settle in between. */
  advance(ms: number): Promise<void>
  /** Jumps without firing anything: a corrected system clock. */
  set(nowMs: number): void
}

type Sleeper = { dueMs: number; wake(): void }

export function createManualClock(startMs = 1_700_000_000_000): ManualClock {
  let nowMs = startMs
  const sleepers = new Set<Sleeper>()
  const nextDue = (untilMs: number) =>
    [...sleepers].filter(({ dueMs }) => dueMs <= untilMs).sort((a, b) => a.dueMs - b.dueMs)[0]
  return {
    nowMs: () => nowMs,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(abortReason(signal))
        const sleeper = { dueMs: nowMs + ms, wake: resolve }
        sleepers.add(sleeper)
        signal?.addEventListener('abort', () => {
          if (sleepers.delete(sleeper)) reject(abortReason(signal))
        })
      }),
    async advance(ms) {
      const untilMs = nowMs + ms
      await settle()
      for (let due = nextDue(untilMs); due; due = nextDue(untilMs)) {
        sleepers.delete(due)
        nowMs = Math.max(nowMs, due.dueMs)
        due.wake()
        await settle()
      }
      nowMs = untilMs
    },
    set(value) {
      nowMs = value
    },
  }
}

/** Lets promise chains run that do no I/O. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
}
