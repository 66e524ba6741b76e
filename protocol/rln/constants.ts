/** The scalar field of BN254: the field of the circuit. */
export const FIELD_MODULUS = 21888242871839275222246405745257275088548364400416034343698204186575808495617n

/** Depth of the membership tree; fixed by the circuit. */
export const TREE_DEPTH = 20

/** Leaves of the membership tree. */
export const TREE_CAPACITY = 2 ** TREE_DEPTH

/** Largest limit of a membership, messages per epoch: the circuit compares 16 bits. */
export const MAX_MESSAGE_LIMIT = 65_535

/** How many of the newest roots a node accepts, so that a member who proves while others join is heard. */
export const ROOT_WINDOW = 50

/** How far a message's timestamp may be from the clock, seconds: 64/WAKU2-NETWORK. */
export const MAX_CLOCK_GAP_SECONDS = 20

/** One change of the member list as bytes: index 4, commitment 32, limit 2. */
export const CHANGE_BYTES = 38

/** Changes in one answer of the membership protocol at most: 304 KiB, a second at 2.5 Mbit/s. */
export const MAX_CHANGES_PER_PAGE = 8_192

/** Groth16 proof in EIP-197 encoding: A 64, B 128, C 64 bytes. */
export const PROOF_BYTES = 256

/** A field element on the wire: big-endian, full width. */
export const ELEMENT_BYTES = 32

/** An epoch on the wire: big-endian, full width. */
export const EPOCH_BYTES = 8

/** Domain tag of the signal; another version of the signal gets another tag. */
export const SIGNAL_TAG = 'postrider/rln-signal/1'

/** External nullifiers kept computed: a few epochs of every shard that a node serves. */
export const EXTERNAL_NULLIFIER_MEMO = 256

/**
 * Different shares of one nullifier that are verified at the same time. Honest traffic has one; an attacker who
 * guesses shares must not take the verifier for one nullifier alone.
 */
export const MAX_SLOT_VERIFYING = 4

/** Places beside those for preferred messages: others must not keep them out. */
export const MAX_SLOT_PREFERRED = 4

/** Copies of one share that wait for the verification of the first. Re-randomised proofs make more than one. */
export const MAX_SLOT_WAITING = 8

/** Random bytes for a secret: 48, so that the reduction modulo p is uniform to 2^-130. */
export const IDENTITY_SEED_BYTES = 48

/**
 * Blocks between the turns of two slashers: time for the first one's reveal to be mined and seen by the next, who then
 * sends nothing.
 */
export const SLASH_TURN_BLOCKS = 3n

/** Blocks before our promise in which promises of others give them a turn before ours: evidence spreads in seconds. */
export const SLASH_TURN_WINDOW_BLOCKS = 16

/** Turns that a slasher leaves to others at most, so that nobody can hold it up with promises about nothing. */
export const MAX_SLASH_TURNS = 8

/** Failed transactions after which a slashing case is given up. */
export const MAX_SLASH_ATTEMPTS = 10
