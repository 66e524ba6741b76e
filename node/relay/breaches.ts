import type { Logger } from '../core/logger.ts'
import { MAX_PENDING_BREACHES } from './constants.ts'
import type { BreachReporter, EvidenceStore, FoundBreach } from './types.ts'

/** Takes breaches from the validator, stores each before anything is sent, and tells the slasher. */
export type BreachOutbox = {
  /** Never blocks; a breach whose storing fails stays and is tried again at the next tick. */
  add(breach: FoundBreach): void
  /** Tries what is left; resolves when nothing more can be done now. */
  flush(): Promise<void>
  pending(): number
}

type Components = {
  evidence: EvidenceStore
  breaches: BreachReporter
  logger: Logger
  onStored(isNew: boolean): void
}

export function createBreachOutbox({ evidence, breaches, logger, onStored }: Components): BreachOutbox {
  const queue: { breach: FoundBreach; stored: boolean }[] = []
  let running: Promise<void> | undefined

  const deliver = async (entry: { breach: FoundBreach; stored: boolean }): Promise<void> => {
    const { breach } = entry
    if (!entry.stored) {
      const isNew = await evidence.add(breach)
      onStored(isNew)
      if (!isNew) return // another message id of a member whose case is open: one slash takes all there is
      entry.stored = true
      logger.warn({ commitment: breach.commitment, pubsubTopic: breach.pubsubTopic }, 'rate limit broken')
    }
    await breaches.report(breach)
  }

  const drain = async (): Promise<void> => {
    for (let entry = queue[0]; entry; entry = queue[0]) {
      try {
        await deliver(entry)
        queue.shift()
      } catch (err) {
        logger.error({ err, pending: queue.length }, 'breach not stored or reported, trying again')
        queue.push(...queue.splice(0, 1)) // to the back: one that keeps failing must not hold up the others
        return
      }
    }
  }

  const flush = (): Promise<void> => {
    running ??= drain().finally(() => {
      running = undefined
    })
    return running
  }

  return {
    add(breach) {
      if (queue.length >= MAX_PENDING_BREACHES) {
        logger.error({ commitment: breach.commitment }, 'breach dropped: too many wait to be stored')
        return
      }
      queue.push({ breach, stored: false })
      void flush()
    },
    flush,
    pending: () => queue.length,
  }
}
