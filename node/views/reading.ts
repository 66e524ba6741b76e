import type { Clock } from '../core/clock.ts'
import { withDeadline } from '../core/deadline.ts'
import type { Logger } from '../core/logger.ts'
import { BACKGROUND_READ_AGE_MS, READ_AGE_MS, READ_WAIT_MS } from './constants.ts'

/** A value that has to be asked for. Asking never fails: what is not known is undefined. */
export type Reading<T> = {
  /** The value, read anew if it is old. */
  get(): Promise<T | undefined>
  /** What is known now; reads anew in the background if it is very old. */
  peek(): T | undefined
}

export type ReadingOptions<T> = {
  /** For the log. */
  what: string
  read(): Promise<T>
  /** Whether it is worth trying. */
  reachable(): boolean
}

/** Reads only when somebody looks, one read at a time, and gives up waiting long before the reader does. */
export function createReading<T>(
  { clock, logger }: { clock: Clock; logger: Logger },
  { what, read, reachable }: ReadingOptions<T>,
): Reading<T> {
  let value: T | undefined
  let triedMs = Number.NEGATIVE_INFINITY
  let reading: Promise<void> | undefined

  const readOnce = async (): Promise<void> => {
    triedMs = clock.nowMs()
    try {
      value = await read()
    } catch (err) {
      logger.debug({ err, what }, 'cannot read now')
    }
  }

  const refresh = (): Promise<void> => {
    reading ??= readOnce().finally(() => {
      reading = undefined
    })
    return reading
  }

  const isDue = (ageMs: number): boolean =>
    reading !== undefined || (reachable() && clock.nowMs() - triedMs >= ageMs)

  return {
    async get() {
      if (isDue(READ_AGE_MS))
        await withDeadline(clock, { what, ms: READ_WAIT_MS }, refresh).catch(() => undefined)
      return value
    },
    peek() {
      if (isDue(BACKGROUND_READ_AGE_MS)) void refresh()
      return value
    },
  }
}
