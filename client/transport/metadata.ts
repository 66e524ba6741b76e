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
import { readAnswer } from './answers.ts'
import { MAX_STATUS_FRAME_BYTES } from './constants.ts'
import type { Transport } from './types.ts'

type Cluster = Pick<Network, 'clusterId' | 'shardCount'>

/** Answers metadata requests of nodes (66/WAKU2-METADATA). Before the transport starts. */
export function handleMetadata(transport: Transport, cluster: Cluster): void {
  transport.handle(PROTOCOL_IDS.metadata, MAX_STATUS_FRAME_BYTES, () =>
    encode(MetadataResponseSchema, create(MetadataResponseSchema, describe(cluster))),
  )
}

/**
 * Tells a node the client's cluster and checks the node's.
 *
 * @throws PostriderError `CLIENT_WRONG_CLUSTER`, `CLIENT_BAD_RESPONSE`, `CLIENT_STREAM_FAILED`, `CLIENT_TIMEOUT`
 * @returns the shards that the node serves
 */
export async function checkCluster(
  transport: Transport,
  peerId: string,
  cluster: Cluster,
  signal?: AbortSignal,
): Promise<number[]> {
  const frame = encode(MetadataRequestSchema, create(MetadataRequestSchema, describe(cluster)))
  const options = { maxBytes: MAX_STATUS_FRAME_BYTES, signal }
  const bytes = await transport.request(peerId, PROTOCOL_IDS.metadata, frame, options)
  const { clusterId, shards } = readAnswer(PROTOCOL_IDS.metadata, () => decode(MetadataResponseSchema, bytes))
  if (clusterId === cluster.clusterId) return shards
  throw new PostriderError('CLIENT_WRONG_CLUSTER', {
    detail: `it serves cluster ${clusterId ?? 'none'}, not ${cluster.clusterId}`,
    data: { peerId, clusterId },
  })
}

function describe({ clusterId, shardCount }: Cluster) {
  return { clusterId, shards: Array.from({ length: shardCount }, (_, shard) => shard) }
}
