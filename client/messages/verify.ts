import { PostriderError } from '@postrider/protocol/errors'
import type { Network } from '@postrider/protocol/network'
import { type PrecheckResult, precheck, publicSignals } from '@postrider/protocol/rln'
import {
  bytesToHex,
  encode,
  messageHash,
  timestampToMs,
  type WakuMessage,
  WakuMessageSchema,
} from '@postrider/protocol/wire'
import type { Clock } from '../core/clock.ts'
import type { NodeInfo } from '../nodes/types.ts'
import type { Members } from '../rln/members.ts'
import type { ProofEngine } from '../rln/types.ts'
import { refOf } from './attempts.ts'
import { ROOT_REFRESH_MS } from './constants.ts'
import type { ProofStatus, ReceivedMessage } from './types.ts'

/** Checks the rate-limit proof of a received message. */
export type ProofChecker = {
  /** Loads what checking needs: the member list and the keys. Before the first `check`. */
  ready(): Promise<void>
  /** @throws PostriderError `CLIENT_HISTORY_INVALID` when the proof is wrong or missing */
  check(pubsubTopic: string, message: WakuMessage): Promise<ProofStatus>
}

/** The checks of a relay, at the time of the message, against the roots that this client remembers. */
export function createProofChecker(components: {
  engine: ProofEngine
  members(): Members
  /** Starts to follow the member list, if nobody did yet. */
  follow(): Promise<void>
  /** Brings the member list up to date. */
  sync(): Promise<void>
  network: Network
  clock: Clock
}): ProofChecker {
  const { engine, members, follow, sync, network, clock } = components
  let syncedAtMs = Number.NEGATIVE_INFINITY

  /** A root may be newer than our list; asking the chain for each unknown one would let others make us ask. */
  const refresh = async () => {
    if (clock.nowMs() - syncedAtMs < ROOT_REFRESH_MS) return
    syncedAtMs = clock.nowMs()
    await sync().catch(() => undefined)
  }
  const look = (bytes: Uint8Array, pubsubTopic: string, nowMs: number) =>
    precheck(bytes, pubsubTopic, { ...network, nowMs, rootKnown: (root) => members().isKnownRoot(root) })

  return {
    ready: follow,
    async check(pubsubTopic, message) {
      const nowMs = timestampToMs(message.timestamp ?? 0n)
      const bytes = encode(WakuMessageSchema, message)
      let checked = look(bytes, pubsubTopic, nowMs)
      if (isUnknownRoot(checked)) {
        await refresh()
        checked = look(bytes, pubsubTopic, nowMs)
      }
      if (isUnknownRoot(checked)) return 'unknown-root'
      if (!checked.ok) throw invalidProof(codeOf(checked))
      const signals = publicSignals(checked.proof, checked.externalNullifier)
      if (await engine.verify(checked.proof.proof, signals)) return 'valid'
      throw invalidProof('RLN_PROOF_INVALID')
    },
  }
}

function isUnknownRoot(checked: PrecheckResult): boolean {
  return !checked.ok && codeOf(checked) === 'RLN_UNKNOWN_ROOT'
}

function codeOf({ verdict }: Extract<PrecheckResult, { ok: false }>): string {
  return verdict.kind === 'accept' ? '' : verdict.code
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
