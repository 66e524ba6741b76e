import { timestampToMs } from '@postrider/protocol/wire'
import type { StoreView } from '../api/types.ts'
import type { NodeParts } from './types.ts'

/** What a node without a store says of it. */
const NO_STORE = {
  engine: 'none',
  messages: 0,
  bytes: 0,
  oldest: null,
  newest: null,
  retention: { seconds: null, bytes: null },
  ingest: { waiting: 0, limit: 0, dropped: 0 },
  queries: 0,
}

export function createStoreView({ store, config }: Pick<NodeParts, 'store' | 'config'>): StoreView {
  const { retentionSeconds: seconds, maxBytes: bytes } = config.store
  return {
    async stats() {
      if (!store) return NO_STORE
      const { oldest, newest, ingest, ...stats } = await store.stats()
      const { waiting, limit, dropped } = ingest
      return {
        ...stats,
        oldest: toMs(oldest),
        newest: toMs(newest),
        retention: { seconds, bytes },
        ingest: { waiting, limit, dropped },
      }
    },
  }
}

function toMs(nanoseconds: bigint | undefined): number | null {
  return nanoseconds === undefined ? null : timestampToMs(nanoseconds)
}
