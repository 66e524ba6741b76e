/**
 * The network file: what the deployment writes and nodes, clients and dashboard read.
 *
 * @module
 */
export { MAX_BOOTSTRAP, MAX_EPOCH_SECONDS, MAX_RPC_URLS } from './constants.ts'
export { type Network, parseNetwork } from './network.ts'
