import { isPostriderError } from '@postrider/protocol/errors'
import { EMPTY_ACCUMULATOR, type MembershipTree } from '@postrider/protocol/rln'
import { readFileBounded, writeFileAtomic } from '../core/files.ts'
import type { Logger } from '../core/logger.ts'
import type { Metrics } from '../core/metrics.ts'
import { MAX_SNAPSHOT_BYTES, SNAPSHOT_AFTER_CHANGES, SNAPSHOT_AFTER_SHARE } from './constants.ts'
import type { Membership } from './membership.ts'
import { decodeSnapshot, encodeSnapshot, type MembershipSnapshot } from './membership-snapshot.ts'

/** Keeps the members' tree in a file. Start it before the follower and stop it after. */
export type MembershipFile = {
  start(): Promise<void>
  stop(): Promise<void>
}

export type MembershipFileOptions = {
  path: string
  /** Tests pass one with a cheaper hash. */
  restoreTree?(bytes: Uint8Array): MembershipTree
}

/**
 * A cache beside the log of events: without it, or with one that does not fit, the tree is hashed again. It is written
 * when the node stops, and in between when so much has changed that hashing it again would be felt.
 */
export function createMembershipFile(
  components: {
    logger: Logger
    metrics: Metrics
    membership: {
      view: Pick<Membership, 'changes' | 'subscribe'>
      snapshot(): MembershipSnapshot
      restore(snapshot: MembershipSnapshot): void
    }
  },
  options: MembershipFileOptions,
): MembershipFile {
  const { path, restoreTree } = options
  const { logger, metrics, membership } = components
  const { changes, subscribe } = membership.view
  /** What the file holds. */
  let saved: List = { count: 0, accumulator: EMPTY_ACCUMULATOR }
  let saving: Promise<void> | undefined
  let unsubscribe: (() => void) | undefined

  const failed = (err: unknown, what: string): void => {
    if (isPostriderError(err)) metrics.error(err.code)
    logger.warn({ err, path }, what)
  }
  const load = async (): Promise<void> => {
    try {
      const bytes = await readFileBounded(path, MAX_SNAPSHOT_BYTES)
      if (!bytes) return
      const snapshot = decodeSnapshot(bytes, restoreTree)
      membership.restore(snapshot)
      saved = named(snapshot)
    } catch (err) {
      failed(err, 'the stored membership tree cannot be used; it is built again')
    }
  }
  const save = async (): Promise<void> => {
    const snapshot = membership.snapshot()
    if (snapshot.accumulator === saved.accumulator) return
    try {
      await writeFileAtomic(path, encodeSnapshot(snapshot))
      saved = named(snapshot)
    } catch (err) {
      failed(err, 'the membership tree was not stored; a restart will build it again')
    }
  }
  const saveWhenDue = (): void => {
    const { count } = changes.head()
    const behind = Math.abs(count - saved.count)
    if (saving || behind < Math.max(SNAPSHOT_AFTER_CHANGES, count * SNAPSHOT_AFTER_SHARE)) return
    saving = save().finally(() => {
      saving = undefined
    })
  }

  return {
    async start() {
      await load()
      unsubscribe = subscribe(saveWhenDue)
    },
    async stop() {
      unsubscribe?.()
      await saving
      await save()
    },
  }
}

/** What names a list of changes exactly. */
type List = Pick<MembershipSnapshot, 'count' | 'accumulator'>

const named = ({ count, accumulator }: MembershipSnapshot): List => ({ count, accumulator })
