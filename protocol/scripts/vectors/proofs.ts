import { loadArtifacts } from '@postrider/circuits'
import { createProver, createVerifier } from '@postrider/circuits/engine'
import {
  epochAt,
  externalNullifier,
  PROOF_BYTES,
  type PublicSignals,
  publicSignals,
  type RlnProof,
  share,
  signalX,
} from '../../rln/index.ts'
import { hexToBytes, timestampToMs, type WakuMessage } from '../../wire/index.ts'
import { LIMIT, NETWORK, SENDER, SENDER_INDEX, TOPIC, tree } from './fixtures.ts'

export type ProofOf = (message: WakuMessage, options?: ProofOptions) => Promise<RlnProof>

export type ProofOptions = {
  messageId?: number
  pubsubTopic?: string
  networkId?: string
  /** Another proof of the same signals: Groth16 proofs differ from run to run. */
  copy?: number
}

/** Proofs by the signals that they prove. */
export type ProofStore = Record<string, string>

/**
 * Proofs of the sender. They are random, so those that the committed vectors hold are used as long as they verify;
 * `used` collects what the new vectors need.
 */
export async function createProofSource(known: ProofStore) {
  const artifacts = await loadArtifacts()
  const verifier = createVerifier(artifacts.verificationKey)
  const prover = createProver(artifacts)
  const used: ProofStore = {}

  const verify = (proof: Uint8Array, signals: PublicSignals) => verifier.verify(proof, signals)

  const proofOf: ProofOf = async (message, options = {}) => {
    const { messageId = 0, pubsubTopic = TOPIC, networkId = NETWORK.networkId, copy = 0 } = options
    const epoch = epochAt(timestampToMs(message.timestamp ?? 0n), NETWORK.epochSeconds)
    const external = externalNullifier({ epoch, networkId, pubsubTopic })
    const x = signalX(pubsubTopic, message)
    const point = share(SENDER.secret, external, messageId, x)
    const values: RlnProof = { proof: new Uint8Array(PROOF_BYTES), root: tree.root(), epoch, x, ...point }
    const name = `${point.nullifier}/${x}/${copy}`
    const stored = used[name] ?? known[name]
    const proof =
      stored !== undefined && (await verify(hexToBytes(stored), publicSignals(values, external)))
        ? hexToBytes(stored)
        : await prove(x, external, messageId)
    used[name] = `0x${Buffer.from(proof).toString('hex')}`
    return { ...values, proof }
  }

  async function prove(x: bigint, external: bigint, messageId: number): Promise<Uint8Array> {
    const { siblings, indices } = tree.path(SENDER_INDEX)
    const result = await prover.prove({
      identitySecret: SENDER.secret,
      userMessageLimit: LIMIT,
      messageId,
      pathElements: siblings,
      identityPathIndex: indices,
      x,
      externalNullifier: external,
    })
    return result.proof
  }

  const close = async () => {
    await prover.close()
    await verifier.close()
  }
  return { proofOf, verify, used, close }
}
