/** RPC endpoints in one network file; more than a few only slow down failover. */
export const MAX_RPC_URLS = 16

/** Bootstrap addresses in one network file. */
export const MAX_BOOTSTRAP = 64

/** Longest RLN epoch, seconds: a day. Longer ones make a nullifier log that no node can hold. */
export const MAX_EPOCH_SECONDS = 86_400

/** Longest text in the file (URL, multiaddr, name), characters. */
export const MAX_TEXT_CHARS = 512
