import { bytesToHex } from '@postrider/protocol/wire'
import { MESSAGE_OVERHEAD_BYTES } from '../constants.ts'
import { comparePositions, isInside, walkRange } from '../position.ts'
import type { Archive, PageRequest, StoredMessage } from '../types.ts'

/**
 * The reference adapter: a sorted array and the definition of a page in plain words. For tests and for nodes
 * that must keep nothing; every query reads everything.
 */
export function createMemoryArchive(): Archive {
  const byHash = new Map<string, StoredMessage>()
  let sorted: StoredMessage[] = []
  let bytes = 0

  const matches = ({ filter }: PageRequest, message: StoredMessage): boolean => {
    const { pubsubTopic, contentTopics } = filter
    if (pubsubTopic !== undefined && message.pubsubTopic !== pubsubTopic) return false
    return !contentTopics || contentTopics.includes(message.contentTopic)
  }

  return {
    engine: 'memory',
    async append(batch) {
      let added = 0
      for (const message of batch) {
        const key = bytesToHex(message.hash)
        if (byHash.has(key)) continue
        byHash.set(key, message)
        bytes += message.data.length + MESSAGE_OVERHEAD_BYTES
        added++
      }
      sorted = [...byHash.values()].sort(comparePositions)
      return added
    },

    async query(request) {
      const { filter, forward, includeData, limit, maxBytes } = request
      const range = walkRange({ ...filter, cursor: request.cursor, forward })
      const wanted = filter.hashes && new Set(filter.hashes.map((hash) => bytesToHex(hash)))
      const all = sorted.filter(
        (message) =>
          isInside(range, message) &&
          (wanted ? wanted.has(bytesToHex(message.hash)) : matches(request, message)),
      )
      const walk = forward ? all : all.reverse()
      const taken: StoredMessage[] = []
      let used = 0
      for (const message of walk) {
        used += includeData ? message.data.length : 0
        if (taken.length === limit || (taken.length > 0 && used > maxBytes)) break
        taken.push(message)
      }
      const ordered = forward ? taken : taken.reverse()
      return {
        entries: ordered.map(({ timestamp, hash, pubsubTopic, data }) =>
          includeData ? { timestamp, hash, pubsubTopic, data } : { timestamp, hash, pubsubTopic },
        ),
        more: walk.length > taken.length,
      }
    },

    async position(hash) {
      const found = byHash.get(bytesToHex(hash))
      return found && { timestamp: found.timestamp, hash: found.hash }
    },

    async stats() {
      const first = sorted[0]
      const last = sorted.at(-1)
      return {
        messages: sorted.length,
        bytes,
        ...(first && last ? { oldest: first.timestamp, newest: last.timestamp } : {}),
      }
    },

    async prune({ before, maxBytes, limit }) {
      let removed = 0
      for (const message of sorted) {
        const tooOld = before !== undefined && message.timestamp < before
        const tooMuch = maxBytes !== undefined && bytes > maxBytes
        if (removed === limit || !(tooOld || tooMuch)) break
        byHash.delete(bytesToHex(message.hash))
        bytes -= message.data.length + MESSAGE_OVERHEAD_BYTES
        removed++
      }
      sorted = sorted.slice(removed)
      return removed
    },

    async close() {},
  }
}
