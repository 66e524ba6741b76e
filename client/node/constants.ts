/** Storage holds keys and money: only its owner may read it. */
export const FILE_MODE = 0o600
export const FOLDER_MODE = 0o700

/** Writes in one transaction: bounds how long it holds the event loop. */
export const MAX_GROUPED_WRITES = 512
