import { buildMessage, createMember } from '../../relay/testing/messages.ts'
import type { NodeProver, PaymentGate } from '../types.ts'

/** A gate that lets a number of requests pass free and refuses the rest until told otherwise. */
export function createTestGate(free = Number.POSITIVE_INFINITY): PaymentGate & {
  charges: Parameters<PaymentGate['charge']>[0][]
  allow(more: number): void
} {
  const charges: Parameters<PaymentGate['charge']>[0][] = []
  const charged = new Set<string>()
  let left = free
  return {
    charges,
    allow(more) {
      left += more
    },
    async charge(charge) {
      charges.push(charge)
      const key = `${charge.peer} ${charge.requestId}`
      if (!charged.has(key)) {
        if (left < 1) return { ok: false, total: 7n }
        left--
        charged.add(key)
      }
      return { ok: true, charged: 0n, free: true }
    },
  }
}

/** Proves with a member of its own by the stand-in of the relay's tests. */
export function createTestProver(): NodeProver & { used(): number } {
  const member = createMember(777n)
  let messageId = 0
  return {
    async attach(_topic, message) {
      const { $typeName, $unknown, ...fields } = message
      return buildMessage({
        member,
        messageId: messageId++,
        nowMs: Number((message.timestamp ?? 0n) / 1_000_000n),
        contentTopic: message.contentTopic,
        change: { message: fields },
      })
    },
    used: () => messageId,
  }
}
