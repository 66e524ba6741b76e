import type { ErrorSection } from './types.ts'

export const rlnErrors = {
  RLN_PROOF_MISSING: {
    title: 'The message carries no rate-limit proof',
    retryable: false,
    fix: 'Attach a proof of your own, or ask a node that offers free requests to attach one.',
    http: 400,
  },
  RLN_PROOF_MALFORMED: {
    title: 'The rate-limit proof has fields of the wrong width or values outside the field',
    retryable: false,
    fix: 'Encode the proof as docs/protocol/rln.md describes.',
    http: 400,
  },
  RLN_PROOF_INVALID: {
    title: 'The zero-knowledge proof does not verify',
    retryable: false,
    fix: 'Prove with the keys of this network and the current membership path.',
    http: 400,
  },
  RLN_TIMESTAMP_OUTSIDE_WINDOW: {
    title: 'The message is stamped more than 20 s away from the clock',
    retryable: false,
    fix: 'Synchronise the clock and build the message again.',
    http: 400,
  },
  RLN_EPOCH_MISMATCH: {
    title: "The proof's epoch is not the epoch of the message's timestamp",
    retryable: false,
    fix: "Prove with the epoch of the message's own timestamp.",
    http: 400,
  },
  RLN_X_ZERO: {
    title: 'The share has x = 0, which would publish the secret',
    retryable: false,
    fix: 'Change the message and prove again.',
    http: 400,
  },
  RLN_SIGNAL_MISMATCH: {
    title: "The proof's x is not the hash of this message",
    retryable: false,
    fix: 'Do not change a message after proving.',
    http: 400,
  },
  RLN_UNKNOWN_ROOT: {
    title: 'The membership root of the proof is not known here',
    retryable: true,
    fix: 'Follow the membership up to the newest block and prove again.',
    http: 409,
  },
  RLN_DUPLICATE: {
    title: 'A message with this nullifier and share was seen already',
    retryable: false,
    fix: 'Nothing: the message is on the network.',
    http: 200,
  },
  RLN_SLOT_BUSY: {
    title: 'Too many messages with this nullifier wait for verification',
    retryable: true,
    fix: 'Send the message once and wait for the answer.',
    http: 429,
  },
  RLN_BREACH: {
    title: 'The rate limit was broken: one message id was used for two messages in one epoch',
    retryable: false,
    fix: 'Never use a message id twice; the deposit of this membership is lost.',
    http: 429,
  },
  RLN_NULLIFIER_SPENT: {
    title: 'This nullifier belongs to a breach that is known already',
    retryable: false,
    fix: 'Register a new membership.',
    http: 429,
  },
  RLN_EVIDENCE_INVALID: {
    title: 'The evidence does not prove a breach',
    retryable: false,
    fix: 'Provide two different messages with valid proofs, one nullifier and one epoch.',
    http: 400,
  },
  RLN_SHARES_EQUAL: {
    title: 'Two equal shares do not give a secret',
    retryable: false,
    fix: 'Provide two messages with different x.',
    http: 400,
  },
  RLN_IDS_EXHAUSTED: {
    title: 'No message id is left in this epoch',
    retryable: true,
    fix: 'Wait for the next epoch or register a higher limit.',
    http: 429,
  },
  RLN_EPOCH_PASSED: {
    title: 'The clock went back to an epoch that is over',
    retryable: true,
    fix: 'Synchronise the clock; sending goes on when it passes the last epoch used.',
    http: 503,
  },
  RLN_ID_RANGE_INVALID: {
    title: 'The range of message ids is empty or reaches beyond the limit of the membership',
    retryable: false,
    fix: 'Configure a range inside 0..limit-1, one for each device.',
    http: 400,
  },
  RLN_VALUE_INVALID: {
    title: 'A value is not an element of the field or of its range',
    retryable: false,
    fix: 'Field elements are below the BN254 scalar modulus, limits in 1..65535, secrets not zero.',
    http: 400,
  },
  RLN_TREE_FULL: {
    title: 'The membership index is outside the tree of depth 20',
    retryable: false,
    fix: 'Use an index below 1,048,576.',
    http: 400,
  },
  RLN_TREE_CORRUPT: {
    title: 'The stored membership tree is damaged or of another version',
    retryable: false,
    fix: 'Nothing: it is a cache, and the tree is built again from the list of members.',
  },
  RLN_CHANGES_INVALID: {
    title: 'A list of membership changes is not well-formed',
    retryable: false,
    fix: 'Encode changes as docs/protocol/membership.md describes; the contract never emits others.',
    http: 400,
  },
} as const satisfies ErrorSection
