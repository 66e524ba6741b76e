/** Largest file that a command reads as its input, bytes: evidence holds two messages of at most 150 KiB each. */
export const MAX_INPUT_FILE_BYTES = 1_048_576

/** How long the node's API may take to answer, ms. It answers from memory; a redemption simulates on the chain. */
export const API_TIMEOUT_MS = 30_000

/** Largest answer that is read from the API, bytes: 500 channels of 2 KiB. */
export const MAX_API_ANSWER_BYTES = 4_194_304

/** Entries that a list command reads in all, page by page; more would not be read by a person. */
export const MAX_LISTED = 10_000

/** Shortest password for a new keystore, characters. The key derivation slows guessing; this stops the worst. */
export const MIN_PASSWORD_CHARS = 8

/** Difference between this machine's clock and the chain's newest block at which doctor fails, s: the relay's window. */
export const MAX_CLOCK_DIFFERENCE_SECONDS = 20

/** Free disk below which doctor warns, and fails, bytes: the archive's default limit, and a day of ledger. */
export const WARN_FREE_BYTES = 10_737_418_240
export const MIN_FREE_BYTES = 268_435_456

/** Gas that an operator should be able to pay for at any time: a batch of 100 settlements and a slash. */
export const GAS_RESERVE_UNITS = 3_000_000n

/** Version of Node.js that runs TypeScript without flags and has every API in use. */
export const MIN_NODE_MAJOR = 24

/** Pause between two looks at an action under way, ms: a block takes seconds. */
export const ACTION_POLL_MS = 500

/** How often it is looked whether the node has seen the end of channels that it closed: 30 s, many of its looks. */
export const MAX_END_POLLS = 60

/** Fewest characters of a channel id that name it: those that the list shows of its beginning. */
export const MIN_ID_CHARS = 8
