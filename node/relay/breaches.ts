import type { Logger } from '../core/logger.ts'
import type { BreachSpool } from './breach-spool.ts'
import { MAX_KNOWN_BREAKERS, MAX_PENDING_BREACHES } from './constants.ts'
import type { BreachReporter, EvidenceStore, FoundBreach } from './types.ts'

/** Takes breaches from the validator, stores each before anything is sent, and tells the slasher. */
export type BreachOutbox = {
  /**
   * Never blocks; a breach whose storing fails stays and is tried again at the next tick. One of a member whose case is
   * open is dropped: one slash takes all there is.
   */
  add(breach: FoundBreach): void
  /** Takes up what an earlier run found and did not store. */
  resume(): void
  /** Tries what is left; resolves when nothing more can be done now. */
  flush(): Promise<void>
  pending(): number
}

type Components = {
  evidence: EvidenceStore
  breaches: BreachReporter
  logger: Logger
  spool?: BreachSpool
  /** Looks for a first message that is not in memory any more. */
  findFirst?(breach: FoundBreach): Promise<Uint8Array | undefined>
  onStored(isNew: boolean): void
}

type Entry = { breach: FoundBreach; stored: boolean }

export function createBreachOutbox(components: Components): BreachOutbox {
  const { evidence, breaches, logger, spool, findFirst, onStored } = components
  const queue: Entry[] = []
  /** Members whose breach is in the queue or in the store. */
  const known = new Set<bigint>()
  let running: Promise<void> | undefined

  const remember = (commitment: bigint): void => {
    known.add(commitment)
    for (const oldest of known) {
      if (known.size <= MAX_KNOWN_BREAKERS) return
      known.delete(oldest)
    }
  }

  const complete = async (breach: FoundBreach): Promise<FoundBreach> => {
    if (breach.first.length > 0 || !findFirst) return breach
    try {
      return { ...breach, first: (await findFirst(breach)) ?? breach.first }
    } catch (err) {
      logger.warn({ err, commitment: breach.commitment }, 'first message of a breach not found')
      return breach
    }
  }

  const deliver = async (entry: Entry): Promise<void> => {
    if (!entry.stored) {
      entry.breach = await complete(entry.breach)
      const isNew = await evidence.add(entry.breach)
      onStored(isNew)
      spool?.remove(entry.breach.commitment)
      if (!isNew) return
      entry.stored = true
      const { commitment, pubsubTopic } = entry.breach
      logger.warn({ commitment, pubsubTopic }, 'rate limit broken')
    }
    await breaches.report(entry.breach)
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

  const enqueue = (breach: FoundBreach): void => {
    remember(breach.commitment)
    queue.push({ breach, stored: false })
    void flush()
  }

  return {
    add(breach) {
      if (known.has(breach.commitment)) return
      if (queue.length >= MAX_PENDING_BREACHES) {
        logger.error({ commitment: breach.commitment }, 'breach dropped: too many wait to be stored')
        return
      }
      spool?.put(breach)
      enqueue(breach)
    },
    resume() {
      for (const breach of spool?.list() ?? []) if (!known.has(breach.commitment)) enqueue(breach)
    },
    flush,
    pending: () => queue.length,
  }
}
