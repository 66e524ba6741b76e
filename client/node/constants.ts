/** Storage holds keys and money: only its owner may read it. */
export const FILE_MODE = 0o600
export const FOLDER_MODE = 0o700

/** Writes in one commit: bounds how long the event loop is held by one sync. */
export const MAX_GROUPED_WRITES = 512
