import type { PostriderError } from '@postrider/protocol/errors'
import { bytesToHex } from '@postrider/protocol/wire'
import type { Random } from '../core/random.ts'
import type { NodePool } from '../nodes/pool.ts'
import { type ChangePage, requestChanges } from '../transport/membership.ts'
import type { Transport } from '../transport/types.ts'

/** Somebody who gives out member changes, true or false. */
export interface ChangeSource {
  /** Changes from the `from`-th on. @throws PostriderError `CLIENT_…` */
  page(from: number, signal?: AbortSignal): Promise<ChangePage>
  /** Told how it went: nothing, or what was wrong. */
  report(error?: PostriderError): void
}

/** Sources to ask, at most `count`, in the order in which to ask them. */
export type ChangeSources = (count: number) => ChangeSource[]

const REQUEST_ID_BYTES = 16

const BUSY = 429
const UNAVAILABLE = 503

/** The nodes that the client is connected to anyway, in random order. */
export function createNodeSources(components: {
  pool: Pick<NodePool, 'list' | 'report'>
  transport: Transport
  random: Random
}): ChangeSources {
  const { pool, transport, random } = components
  return (count) => {
    const connected = pool.list().filter((node) => node.connected && node.distrusted === undefined)
    const drawn = connected.map((node) => ({ node, order: random.fraction() }))
    return drawn
      .sort((a, b) => a.order - b.order)
      .slice(0, count)
      .map(({ node }) => ({
        page(from, signal) {
          const requestId = bytesToHex(random.bytes(REQUEST_ID_BYTES)).slice(2)
          return requestChanges(transport, node.peerId, { requestId, from }, signal)
        },
        report(error) {
          if (error === undefined) pool.report(node, 'served')
          else if (isFault(error)) pool.report(node, 'failed', error)
        },
      }))
  }
}

/** A node that does not speak the protocol, or has too much to do, did nothing wrong. */
function isFault({ cause, data }: PostriderError): boolean {
  if (cause instanceof Error && cause.name === 'UnsupportedProtocolError') return false
  return data.code !== BUSY && data.code !== UNAVAILABLE
}
