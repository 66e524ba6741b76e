import { isPostriderError, PostriderError } from '@postrider/protocol/errors'
import type { Clock } from './clock.ts'
import { START_DEADLINE_MS, STOP_DEADLINE_MS } from './constants.ts'
import { withDeadline } from './deadline.ts'
import type { Logger } from './logger.ts'

/** What a part of the node offers to the composition root; both may be absent. */
export type Component = {
  start?(): void | Promise<void>
  stop?(): void | Promise<void>
}

export type ComponentOptions = { startDeadlineMs?: number; stopDeadlineMs?: number }

/** Starts parts in the order they were added and stops them in reverse, each within its deadline. */
export type Lifecycle = {
  add(name: string, component: Component, options?: ComponentOptions): void
  /**
   * Starts everything; on the first failure stops what had started.
   *
   * @throws PostriderError the component's own error, or `CORE_START_FAILED` (data: component)
   */
  start(): Promise<void>
  /** Stops everything that started. Never rejects: a part that fails to stop is logged and the rest still stops. */
  stop(): Promise<void>
  /** Names of the parts that run, in start order. */
  running(): readonly string[]
}

type Entry = { name: string; component: Component; options: ComponentOptions }

export function createLifecycle({ clock, logger }: { clock: Clock; logger: Logger }): Lifecycle {
  const entries: Entry[] = []
  const started: Entry[] = []
  let stopping: Promise<void> | undefined

  const stopOne = async ({ name, component, options }: Entry): Promise<void> => {
    const ms = options.stopDeadlineMs ?? STOP_DEADLINE_MS
    try {
      await withDeadline(clock, { what: `stop ${name}`, ms }, async () => component.stop?.())
      logger.debug({ component: name }, 'stopped')
    } catch (err) {
      logger.error({ err, component: name }, 'did not stop cleanly')
    }
  }

  const stopAll = async (): Promise<void> => {
    for (let entry = started.pop(); entry; entry = started.pop()) await stopOne(entry)
  }

  return {
    add(name, component, options = {}) {
      entries.push({ name, component, options })
    },
    async start() {
      for (const entry of entries) {
        const { name, component, options } = entry
        const ms = options.startDeadlineMs ?? START_DEADLINE_MS
        // Listed before it starts: a part that failed half way must still release what it took.
        started.push(entry)
        try {
          await withDeadline(clock, { what: `start ${name}`, ms }, async () => component.start?.())
          logger.debug({ component: name }, 'started')
        } catch (cause) {
          await stopAll()
          throw isPostriderError(cause)
            ? cause
            : new PostriderError('CORE_START_FAILED', { detail: name, data: { component: name }, cause })
        }
      }
    },
    stop() {
      stopping ??= stopAll().finally(() => {
        stopping = undefined
      })
      return stopping
    },
    running: () => started.map((entry) => entry.name),
  }
}
