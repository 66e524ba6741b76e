import type { Connection, IdentifyResult } from '@libp2p/interface'
import { PostriderError } from '@postrider/protocol/errors'
import type { Network } from '@postrider/protocol/network'
import {
  create,
  decode,
  encode,
  MetadataRequestSchema,
  MetadataResponseSchema,
  PROTOCOL_IDS,
} from '@postrider/protocol/wire'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Metrics } from '../core/metrics.ts'
import { type RequestServer, requestFrame, serveRequests } from '../core/p2p/streams.ts'
import type { Host } from '../core/p2p.ts'
import {
  MAX_METADATA_FRAME_BYTES,
  MAX_METADATA_STREAMS,
  MAX_METADATA_STREAMS_PER_CONNECTION,
  METADATA_DEADLINE_MS,
} from './constants.ts'

export type MetadataComponents = {
  host: Pick<Host, 'libp2p'>
  clock: Clock
  logger: Logger
  metrics: Metrics
}

export type MetadataOptions = { network: Pick<Network, 'clusterId' | 'shardCount'> }

export type MetadataServer = { start(): Promise<void>; stop(): Promise<void> }

/**
 * Serves and asks `/vac/waku/metadata/1.0.0`: tells cluster and shards, and hangs up on peers of another cluster.
 * A peer that names no cluster, as stock light clients may, stays.
 */
export function createMetadataServer(
  components: MetadataComponents,
  options: MetadataOptions,
): MetadataServer {
  const { host, clock, logger, metrics } = components
  const { clusterId, shardCount } = options.network
  const shards = Array.from({ length: shardCount }, (_, shard) => shard)
  const mismatches = metrics.counter('light_cluster_mismatches_total', {
    help: 'Connections closed because the peer belongs to another cluster',
  })
  let server: RequestServer | undefined

  const check = (remote: number | undefined, { remotePeer }: Connection): void => {
    if (remote === undefined || remote === clusterId) return
    mismatches.inc()
    const err = new PostriderError('RELAY_CLUSTER_MISMATCH', { data: { ours: clusterId, theirs: remote } })
    logger.info({ err, peer: remotePeer.toString() }, 'peer of another cluster')
    void host.libp2p
      .hangUp(remotePeer)
      .catch((cause) => logger.debug({ err: cause }, 'hang-up of a foreign peer failed'))
  }

  const answer = async (
    frame: Uint8Array,
    { connection }: { connection: Connection },
  ): Promise<Uint8Array> => {
    const request = decode(MetadataRequestSchema, frame)
    // After the answer is out, so that the other side learns why.
    setImmediate(() => check(request.clusterId, connection))
    return encode(MetadataResponseSchema, create(MetadataResponseSchema, { clusterId, shards }))
  }

  const ask = async ({ connection, protocols }: IdentifyResult): Promise<void> => {
    if (!protocols.includes(PROTOCOL_IDS.metadata)) return
    try {
      const request = encode(MetadataRequestSchema, create(MetadataRequestSchema, { clusterId, shards }))
      const frame = await requestFrame({ clock }, connection, request, {
        protocol: PROTOCOL_IDS.metadata,
        maxResponseBytes: MAX_METADATA_FRAME_BYTES,
        deadlineMs: METADATA_DEADLINE_MS,
      })
      check(decode(MetadataResponseSchema, frame).clusterId, connection)
    } catch (err) {
      logger.debug({ err, peer: connection.remotePeer.toString() }, 'no metadata from peer')
    }
  }

  const onIdentify = (event: CustomEvent<IdentifyResult>) => void ask(event.detail)

  return {
    async start() {
      const limits = {
        maxRequestBytes: MAX_METADATA_FRAME_BYTES,
        deadlineMs: METADATA_DEADLINE_MS,
        maxStreamsPerConnection: MAX_METADATA_STREAMS_PER_CONNECTION,
        maxStreams: MAX_METADATA_STREAMS,
      }
      server = await serveRequests(
        { libp2p: host.libp2p, clock },
        {
          protocol: PROTOCOL_IDS.metadata,
          limits,
          onFailure: (err, peer) => logger.debug({ err, peer }, 'metadata stream reset'),
        },
        answer,
      )
      host.libp2p.addEventListener('peer:identify', onIdentify)
    },
    async stop() {
      host.libp2p.removeEventListener('peer:identify', onIdentify)
      await server?.stop()
      server = undefined
    },
  }
}
