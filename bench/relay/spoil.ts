// Messages that pass every check but the last: the proof is a valid one of another message.
import { attachProof, decodeRlnProof, signalX } from '@postrider/protocol/rln'
import { decode, encode, WakuMessageSchema } from '@postrider/protocol/wire'
import { TOPIC } from './network.ts'
import { payloadOf } from './payload.ts'

/** Indices of invalid messages begin here, so that one that came through would be seen. */
export const FIRST_INVALID = 1_000_000

export function spoil(messages: readonly Uint8Array[], count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => {
    const valid = decode(WakuMessageSchema, messages[i % messages.length] ?? new Uint8Array())
    const message = { ...valid, payload: payloadOf(FIRST_INVALID + i) }
    const proof = decodeRlnProof(valid.rateLimitProof ?? new Uint8Array())
    const x = signalX(TOPIC, message)
    // A nullifier and a share that nobody has: the slot is free and the verifier has to say.
    return encode(WakuMessageSchema, attachProof(message, { ...proof, x, y: x, nullifier: x }))
  })
}
