/** What a member proves one message with. Field elements are below the scalar modulus. */
export type RlnInputs = {
  identitySecret: bigint
  /** Messages per epoch that the membership pays for, 1 .. 65,535. */
  userMessageLimit: bigint | number
  /** 0 .. userMessageLimit - 1, never twice in one epoch. */
  messageId: bigint | number
  /** Siblings from the leaf upwards, as many as the tree is deep. */
  pathElements: readonly bigint[]
  /** Per level: 1 when the node is a right child. */
  identityPathIndex: readonly number[]
  /** Hash of the signal. Must not be 0: there y is the secret. */
  x: bigint
  externalNullifier: bigint
}

/** The part of the inputs that stays the same from one message of a member to the next. */
export type MemberInputs = Omit<RlnInputs, 'messageId' | 'x' | 'externalNullifier'>

/** In circuit order: y, root, nullifier, x, externalNullifier. */
export type PublicSignals = readonly [bigint, bigint, bigint, bigint, bigint]

export type ProveResult = {
  /** 256 bytes, EIP-197 encoding. */
  proof: Uint8Array
  signals: PublicSignals
}

export type ProveOptions = {
  /** Aborting rejects with CIRCUITS_PROVE_ABORTED; it is looked at between the steps of a proof. */
  signal?: AbortSignal
  /** Share of the work done, 0 .. 1, rising. */
  onProgress?: (done: number) => void
}

export interface Prover {
  /**
   * Resolves when the keys are parsed; calls before that wait for it.
   *
   * @throws CIRCUITS_KEY_INVALID
   */
  ready(): Promise<void>
  /**
   * Proves one message. Calls are served one after the other.
   *
   * @throws CIRCUITS_INPUT_INVALID, CIRCUITS_WITNESS_INVALID, CIRCUITS_PROVE_ABORTED, CIRCUITS_ENGINE_CLOSED
   */
  prove(inputs: RlnInputs, options?: ProveOptions): Promise<ProveResult>
  /**
   * Computes ahead what the member's next proofs share, so that the first of them is as fast as the others.
   *
   * @throws CIRCUITS_INPUT_INVALID, CIRCUITS_PROVE_ABORTED, CIRCUITS_ENGINE_CLOSED
   */
  prepare(member: MemberInputs, options?: ProveOptions): Promise<void>
  /**
   * Does all of a proof that does not depend on the message, so that the rest takes a few milliseconds: for the
   * time between messages. The message id is not used before `PreparedProof.prove`: nothing that tells of it exists
   * until the message's hash is put in.
   *
   * @throws as `prove`
   */
  proveAhead(inputs: Omit<RlnInputs, 'x'>, options?: ProveOptions): Promise<PreparedProof>
  /** Overwrites what proofs left in memory. Calls under way finish first. */
  close(): Promise<void>
}

/** A proof that waits for its message. As secret as the member's identity. */
export interface PreparedProof {
  /**
   * Works once: two messages under one message id give the member's secret away.
   *
   * @param x hash of the signal, not 0
   * @throws CIRCUITS_PREPARED_USED, CIRCUITS_INPUT_INVALID, CIRCUITS_ENGINE_CLOSED
   */
  prove(x: bigint): Promise<ProveResult>
}

export interface Verifier {
  /**
   * Resolves when the key is loaded; calls before that wait for it.
   *
   * @throws CIRCUITS_KEY_INVALID
   */
  ready(): Promise<void>
  /**
   * True when the proof holds for the public signals. Malformed bytes, points off the curve or outside the
   * group, points at infinity and signals at or above the modulus are false, never an exception.
   *
   * @throws CIRCUITS_ENGINE_CLOSED
   */
  verify(proof: Uint8Array, signals: readonly bigint[]): Promise<boolean>
  /** Verdicts in the order of the items; one at a time or many, the verdicts are the same. */
  verifyBatch(items: readonly ProofItem[]): Promise<boolean[]>
  /** Refuses calls from now on. Its memory goes when nothing refers to it any more; it holds no secret. */
  close(): Promise<void>
}

export type ProofItem = { proof: Uint8Array; signals: readonly bigint[] }

/** Affine coordinates; second-degree elements are [real, imaginary]. */
export type PointG1 = { x: bigint; y: bigint }
export type PointG2 = { x: readonly [bigint, bigint]; y: readonly [bigint, bigint] }
export type Groth16Proof = { a: PointG1; b: PointG2; c: PointG1 }

/** The verification key in snarkjs' JSON form: decimal strings, projective coordinates, G2 as [real, imaginary]. */
export type VerificationKey = {
  protocol: string
  curve: string
  nPublic: number
  vk_alpha_1: string[]
  vk_beta_2: string[][]
  vk_gamma_2: string[][]
  vk_delta_2: string[][]
  IC: string[][]
}
