/** Most nodes that the options may ask for: each costs a channel. */
export const MAX_POOL_SIZE = 32

/** Most stores in which one message may be looked for. */
export const MAX_CONFIRMATIONS = 5
