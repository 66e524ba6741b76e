/**
 * Proofs on worker threads: a verifier that batches and a prover, each behind a bounded queue. The event loop
 * that serves the network never computes a pairing.
 *
 * @module
 */
export { createProverPool, type ProverPoolOptions } from './prover.ts'
export type { PoolComponents, ProofVerifier, ProverPool, Service } from './types.ts'
export { createProofVerifier, type ProofVerifierOptions } from './verifier.ts'
