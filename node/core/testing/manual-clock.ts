import { type Clock, createTimer, skipWhilePending } from '../clock.ts'
import { abortReason } from '../deadline.ts'

/** A clock that moves only when told. */
export type ManualClock = Clock & {
  /** Moves time forward, firing what falls due in order; promises settle between firings. */
  advance(ms: number): Promise<void>
  /** Jumps to a time, backwards too, without firing anything: a corrected system clock. */
  set(nowMs: number): void
  /** Timers and sleeps that are waiting. */
  pending(): number
}

type Entry = { dueMs: number; order: number; fire(): void }

/** @param startMs Unix time at which the clock stands, ms */
export function createManualClock(startMs = 1_700_000_000_000): ManualClock {
  let nowMs = startMs
  let order = 0
  const entries = new Set<Entry>()

  const add = (delayMs: number, fire: () => void): Entry => {
    const entry = { dueMs: nowMs + Math.max(0, delayMs), order: order++, fire }
    entries.add(entry)
    return entry
  }

  const nextDue = (untilMs: number): Entry | undefined => {
    let best: Entry | undefined
    for (const entry of entries) {
      if (entry.dueMs > untilMs) continue
      if (!best || entry.dueMs < best.dueMs || (entry.dueMs === best.dueMs && entry.order < best.order))
        best = entry
    }
    return best
  }

  return {
    nowMs: () => nowMs,
    sleep(ms, signal) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(abortReason(signal))
        const entry = add(ms, resolve)
        const onAbort = () => {
          if (entries.delete(entry) && signal) reject(abortReason(signal))
        }
        signal?.addEventListener('abort', onAbort, { once: true })
      })
    },
    every(ms, run) {
      const guarded = skipWhilePending(run)
      let entry: Entry
      const arm = () => {
        entry = add(ms, () => {
          arm()
          guarded()
        })
      }
      arm()
      return createTimer(() => entries.delete(entry))
    },
    async advance(ms) {
      const untilMs = nowMs + ms
      await settle()
      for (let entry = nextDue(untilMs); entry; entry = nextDue(untilMs)) {
        entries.delete(entry)
        nowMs = Math.max(nowMs, entry.dueMs)
        entry.fire()
        await settle()
      }
      nowMs = untilMs
    },
    set(value) {
      nowMs = value
    },
    pending: () => entries.size,
  }
}

/** Lets promise chains run: two turns of the event loop cover every chain that does no I/O. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
}
