import { PostriderError } from '@postrider/protocol/errors'
import type { Network } from '@postrider/protocol/network'
import { precheck, publicSignals } from '@postrider/protocol/rln'
import {
  bytesToHex,
  encode,
  messageHash,
  timestampToMs,
  type WakuMessage,
  WakuMessageSchema,
} from '@postrider/protocol/wire'
import type { NodeInfo } from '../nodes/types.ts'
import type { Members } from '../rln/members.ts'
import type { ProofEngine } from '../rln/types.ts'
import { refOf } from './attempts.ts'
import type { ProofStatus, ReceivedMessage } from './types.ts'

/** Checks the rate-limit proof of a received message. */
export type ProofChecker = {
  /** @throws PostriderError `CLIENT_HISTORY_INVALID` when the proof is wrong or missing */
  check(pubsubTopic: string, message: WakuMessage): Promise<ProofStatus>
}

/** The checks of a relay, at the time of the message, against the roots that this client remembers. */
export function createProofChecker(components: {
  engine: ProofEngine
  members(): Members
  network: Network
}): ProofChecker {
  const { engine, members, network } = components
  return {
    async check(pubsubTopic, message) {
      const nowMs = timestampToMs(message.timestamp ?? 0n)
      const rootKnown = (root: bigint) => members().isKnownRoot(root)
      const bytes = encode(WakuMessageSchema, message)
      const checked = precheck(bytes, pubsubTopic, { ...network, nowMs, rootKnown })
      if (checked.ok) {
        const signals = publicSignals(checked.proof, checked.externalNullifier)
        if (await engine.verify(checked.proof.proof, signals)) return 'valid'
        throw invalidProof('RLN_PROOF_INVALID')
      }
      const code = checked.verdict.kind === 'accept' ? '' : checked.verdict.code
      if (code === 'RLN_UNKNOWN_ROOT') return 'unknown-root'
      throw invalidProof(code)
    },
  }
}

function invalidProof(code: string): PostriderError {
  return new PostriderError('CLIENT_HISTORY_INVALID', { detail: code, data: { code } })
}

/** The message as the application sees it. */
export function toReceived(
  pubsubTopic: string,
  message: WakuMessage,
  node: NodeInfo,
  proof: ProofStatus,
): ReceivedMessage {
  const { contentTopic, payload, meta, ephemeral } = message
  return {
    messageHash: bytesToHex(messageHash(pubsubTopic, message)),
    pubsubTopic,
    contentTopic,
    payload,
    timestamp: message.timestamp ?? 0n,
    ...(meta ? { meta } : {}),
    ephemeral: ephemeral ?? false,
    proof,
    node: refOf(node),
  }
}
