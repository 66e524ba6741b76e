/**
 * What both ends of a connection change in libp2p beyond its options, so that a stream that carries one request costs
 * little more than the request. The wire stays as it is. Knows libp2p by the shape of its parts only.
 *
 * @module
 */
export { coalesceFrames } from './coalesce.ts'
export { rememberProtocols } from './peer-records.ts'
export { silentLogger } from './silent-logger.ts'
