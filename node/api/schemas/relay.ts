import { z } from 'zod'
import { count, timestamp } from './common.ts'

export const verdictKind = z.enum(['accept', 'ignore', 'reject', 'breach'])

export const relayStats = z
  .object({
    since: timestamp.describe('Counts begin here: the start of the process'),
    verdicts: z
      .object({ accept: count, ignore: count, reject: count, breach: count })
      .describe('accept: valid; ignore: nobody is punished; reject: provably bad; breach: rate limit broken'),
    byCode: z
      .array(z.object({ kind: verdictKind, code: z.string(), count }))
      .describe('Why messages were not accepted; codes of docs/errors.md'),
    topics: z.array(z.object({ pubsubTopic: z.string(), peers: count, meshPeers: count })),
    queue: z
      .object({ waiting: count, limit: count, dropped: count })
      .describe('Messages waiting for their proof check; one that is dropped is ignored, never rejected'),
  })
  .meta({ id: 'RelayStats', description: 'What became of the messages that reached this node' })

export const storeStats = z
  .object({
    engine: z.string(),
    messages: count,
    bytes: count.describe('Size of the archive on disk'),
    oldest: timestamp.nullable(),
    newest: timestamp.nullable(),
    retention: z.object({
      seconds: count.nullable().describe('null: no limit by age'),
      bytes: count.nullable().describe('null: no limit by size'),
    }),
    ingest: z.object({ waiting: count, limit: count, dropped: count }),
    queries: count.describe('Pages served since the start of the process'),
  })
  .meta({ id: 'StoreStats', description: 'The archive' })
