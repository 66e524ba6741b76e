import { PostriderError } from '../errors/index.ts'
import { create, decode, encode, RlnBreachSchema, timestampToMs, WakuMessageSchema } from '../wire/index.ts'
import { poseidon } from './poseidon.ts'
import { type CheckedMessage, type PrecheckContext, precheck } from './precheck.ts'
import { type PublicSignals, publicSignals } from './proof.ts'
import { recoverSecret } from './share.ts'

/** Two serialized messages of one member with one nullifier: evidence that anyone can check offline. */
export type Breach = { pubsubTopic: string; first: Uint8Array; second: Uint8Array }

export type BreachContext = Omit<PrecheckContext, 'nowMs' | 'rootKnown'> & {
  /** Whether the root was ever one of the group; without it, check that the commitment is registered. */
  rootKnown?: (root: bigint) => boolean
}

export type VerifiedBreach = {
  secret: bigint
  /** Poseidon(secret): whoever registered it broke the limit. */
  commitment: bigint
  epoch: bigint
  nullifier: bigint
}

/** Portable bytes of a breach. */
export function encodeBreach(breach: Breach): Uint8Array {
  const { pubsubTopic, first, second } = breach
  return encode(
    RlnBreachSchema,
    create(RlnBreachSchema, { pubsubTopic, firstMessage: first, secondMessage: second }),
  )
}

/** @throws WIRE_MALFORMED */
export function decodeBreach(bytes: Uint8Array): Breach {
  const { pubsubTopic, firstMessage, secondMessage } = decode(RlnBreachSchema, bytes)
  return { pubsubTopic, first: firstMessage, second: secondMessage }
}

/**
 * Checks evidence with nothing but itself and the network's parameters: both messages pass every check of the
 * relay at their own time, have one nullifier and different x, and both proofs verify.
 * @throws RLN_EVIDENCE_INVALID with the reason in `detail`; WIRE_MALFORMED when the bytes are no breach.
 */
export async function verifyBreach(
  bytes: Uint8Array,
  context: BreachContext,
  verifyProof: (proof: Uint8Array, signals: PublicSignals) => boolean | Promise<boolean>,
): Promise<VerifiedBreach> {
  const breach = decodeBreach(bytes)
  const first = checkAtItsTime(breach.first, breach.pubsubTopic, context)
  const second = checkAtItsTime(breach.second, breach.pubsubTopic, context)
  if (
    first.externalNullifier !== second.externalNullifier ||
    first.proof.nullifier !== second.proof.nullifier
  ) {
    throw invalid('the nullifiers differ')
  }
  if (first.proof.x === second.proof.x) throw invalid('both messages have the same share')
  for (const { proof, externalNullifier } of [first, second]) {
    if (!(await verifyProof(proof.proof, publicSignals(proof, externalNullifier)))) {
      throw invalid('a proof does not verify')
    }
  }
  const secret = recoverSecret(first.proof, second.proof)
  const { epoch, nullifier } = first.proof
  return { secret, commitment: poseidon([secret]), epoch, nullifier }
}

function checkAtItsTime(data: Uint8Array, pubsubTopic: string, context: BreachContext): CheckedMessage {
  const { timestamp } = decode(WakuMessageSchema, data)
  const nowMs = timestampToMs(timestamp ?? 0n)
  const result = precheck(data, pubsubTopic, { rootKnown: () => true, ...context, nowMs })
  if (result.ok) return result
  throw invalid('code' in result.verdict ? result.verdict.code : result.verdict.kind)
}

function invalid(detail: string): PostriderError {
  return new PostriderError('RLN_EVIDENCE_INVALID', { detail })
}
