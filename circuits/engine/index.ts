/**
 * Proves and verifies RLN messages from bytes. Runs in Node and in browsers; keeps no thread alive after `close`.
 *
 * - `createProver({ wasm, zkey })` → `prove(inputs)` → 256-byte proof and public signals
 * - `createVerifier(verificationKey)` → `verify(proof, signals)`, `verifyBatch(items)`
 * - `readArtifacts(read)` checks key files against their manifest, wherever they come from: `fetchReader` streams them,
 *   `cachedReader` keeps them
 *
 * @module
 */
export {
  type Artifacts,
  type FileHash,
  type Manifest,
  type ReadFile,
  readArtifacts,
  readListed,
  readManifest,
} from './artifacts.ts'
export { type ArtifactCache, cachedReader } from './cache.ts'
export { areCanonicalSignals, decodeProof, decodeProofStrictly, encodeProof } from './codec.ts'
export {
  BASE_MODULUS,
  MAX_MESSAGE_LIMIT,
  PROOF_BYTES,
  PUBLIC_SIGNALS,
  SCALAR_MODULUS,
  TREE_DEPTH,
} from './constants.ts'
export { type FetchOptions, fetchReader } from './fetch.ts'
export { isInG2 } from './field.ts'
export { createProver, type ProverKeys } from './prover/prover.ts'
export type {
  Groth16Proof,
  MemberInputs,
  PointG1,
  PointG2,
  PreparedProof,
  ProofItem,
  ProveOptions,
  ProveResult,
  Prover,
  PublicSignals,
  RlnInputs,
  VerificationKey,
  Verifier,
} from './types.ts'
export { createVerifier } from './verifier.ts'
