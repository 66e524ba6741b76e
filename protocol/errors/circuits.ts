// Errors of the proof system: key files, proving, and the worker pools that prove and verify.
export const circuitsErrors = {
  CIRCUITS_ARTIFACT_MISSING: {
    title: 'A file of the proof system is missing or unreadable',
    retryable: false,
    fix: 'Restore circuits/artifacts from the repository, or point the key directory at one that holds manifest.json and the files it names.',
  },
  CIRCUITS_ARTIFACT_MISMATCH: {
    title: 'A file of the proof system does not have the recorded hash',
    retryable: false,
    fix: 'Do not use this file. Look whether its URL answers with the file and not with a page, fetch the keys again, or correct the hash that pins them if you changed the keys on purpose.',
  },
  CIRCUITS_ARTIFACT_UNAVAILABLE: {
    title: 'A file of the proof system could not be fetched',
    retryable: true,
    fix: 'Look whether the URL of the keys can be reached from here, and in a browser whether connect-src of the page allows it. Files that came whole are kept.',
  },
  CIRCUITS_LOAD_ABORTED: {
    title: 'Loading the proof system was aborted by its caller',
    retryable: true,
    fix: 'Nothing is wrong. Call again: files that came whole are kept.',
  },
  CIRCUITS_DEVELOPMENT_KEYS: {
    title: 'The proving keys are from a development set-up: anyone can forge proofs under them',
    retryable: false,
    fix: 'Use the keys of a ceremony (docs/security/rln.md; a node: zk.keysDir and zk.manifestSha256). On a test network without value, allow these with zk.allowDevelopmentKeys (a client: rln.allowDevelopmentKeys).',
  },
  CIRCUITS_KEY_INVALID: {
    title: 'The proving or verification key cannot be used',
    retryable: false,
    fix: 'Use a Groth16 key on alt_bn128 (bn128) for this circuit, in the format that snarkjs writes.',
  },
  CIRCUITS_INPUT_INVALID: {
    title: 'An input of the proof is out of its range',
    retryable: false,
    fix: 'Pass field elements below the modulus, a path as deep as the tree, path bits 0 or 1, and a message id below the limit.',
  },
  CIRCUITS_WITNESS_INVALID: {
    title: 'The inputs do not satisfy the circuit',
    retryable: false,
    fix: 'Check that the message id is below the limit and that the path belongs to this member.',
  },
  CIRCUITS_ENGINE_FAILED: {
    title: 'The proof engine cannot run here',
    retryable: false,
    fix: 'Use a runtime with WebAssembly and enough memory: Node 24 or a browser of 2023 or later.',
  },
  CIRCUITS_ENGINE_CLOSED: {
    title: 'The prover or verifier was closed',
    retryable: false,
    fix: 'Create a new one, or close it only after the last call has settled.',
  },
  CIRCUITS_PREPARED_USED: {
    title: 'A proof made ahead was already used',
    retryable: false,
    fix: 'Make another one with a new message id: two messages under one id reveal the identity secret.',
  },
  CIRCUITS_PROVE_ABORTED: {
    title: 'Proving was aborted by its caller',
    retryable: true,
    fix: 'Nothing is wrong. Prove again with a new message id if the message is still wanted.',
  },
  ZK_QUEUE_FULL: {
    title: 'The proof queue is full',
    retryable: true,
    fix: 'Retry after a pause. If it lasts, give the node more verifier workers or limit the traffic of its peers.',
    http: 503,
  },
  ZK_SOURCE_BUDGET: {
    title: 'One source has too many proofs waiting',
    retryable: true,
    fix: 'Send slower. Each peer has a share of the proof queue so that no peer can fill it alone.',
    http: 429,
  },
  ZK_WORKER_FAILED: {
    title: 'A proof worker failed while it held this job',
    retryable: true,
    fix: 'Retry. If it repeats, look at the worker error in the log: memory and key files are the usual causes.',
    http: 503,
  },
  ZK_STOPPED: {
    title: 'The proof workers are stopped',
    retryable: true,
    fix: 'Retry when the node is running again.',
    http: 503,
  },
} as const
