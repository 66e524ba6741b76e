import { createWakuMessage, messageHash, type WakuMessage } from '@postrider/protocol/wire'
import { silentLogger } from '../../core/logger.ts'
import { createMetrics } from '../../core/metrics.ts'
import { createManualClock } from '../../core/testing/manual-clock.ts'
import { createMemoryArchive } from '../archive/memory.ts'
import type { Archive, PaymentGate, SinkEntry } from '../types.ts'

export const PUBSUB_TOPIC = '/waku/2/rs/1/0'
export const CONTENT_TOPIC = '/app/1/chat/proto'

/** What the store is built from, with a clock that moves when told and an archive in memory. */
export function createComponents(archive: Archive = createMemoryArchive()) {
  return { archive, clock: createManualClock(), logger: silentLogger, metrics: createMetrics() }
}

/** A message as the relay hands it over; `seed` is its payload and its time in nanoseconds. */
export function sinkEntry(seed: number, overrides: Partial<WakuMessage> = {}): SinkEntry {
  const base = createWakuMessage({
    payload: new TextEncoder().encode(`payload ${seed}`),
    contentTopic: CONTENT_TOPIC,
    timestamp: BigInt(seed),
  })
  const message = { ...base, ...overrides }
  return { pubsubTopic: PUBSUB_TOPIC, message, hash: messageHash(PUBSUB_TOPIC, message), receivedAtMs: 1_000 }
}

/** A gate that lets everything pass and remembers what it was asked. */
export function createOpenGate(): PaymentGate & { charges: { peer: string; requestId: string }[] } {
  const charges: { peer: string; requestId: string }[] = []
  return {
    charges,
    async charge({ peer, requestId }) {
      charges.push({ peer, requestId })
      return { ok: true, charged: 1n, free: false }
    },
  }
}
