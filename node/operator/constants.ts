/**
 * How old an action may be, ms, that was accepted and of which nothing was sent, to be sent after a restart. An
 * operator who asked an hour ago still means it; after a day the world may be another.
 */
export const RESUME_WITHIN_MS = 3_600_000

/** Open actions that are taken up at a start. They run one after the other, and each was begun by hand. */
export const MAX_OPEN_ACTIONS = 1_000

/** How often a transaction of an action is sent anew because another one took its nonce. */
export const MAX_SENDINGS = 3
