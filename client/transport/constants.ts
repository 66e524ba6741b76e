import { MAX_MESSAGE_BYTES } from '@postrider/protocol/wire'

/** Room around a message for request id, topics and hashes, bytes. */
const ENVELOPE_BYTES = 4 * 1024

/** Largest frame that carries one message (lightpush request, filter push), bytes. */
export const MAX_MESSAGE_FRAME_BYTES = MAX_MESSAGE_BYTES + ENVELOPE_BYTES

/** Largest answer without a message (lightpush, filter, metadata), bytes. */
export const MAX_STATUS_FRAME_BYTES = 16 * 1024

/** Largest page of a history query, bytes: 100 messages of the advised 4 KiB, or 2 of the largest. */
export const MAX_PAGE_FRAME_BYTES = 100 * 4 * 1024 + 2 * MAX_MESSAGE_FRAME_BYTES

/** Largest frame of the payment stream, bytes: the widest (Terms, Bind) is below 300. */
export const MAX_PAYMENT_FRAME_BYTES = 4 * 1024

/** Time to connect, secure and multiplex, ms. */
export const DIAL_TIMEOUT_MS = 10_000

/** Time from the request to the whole answer, ms: above the node's own deadline, below the 20 s clock window. */
export const REQUEST_TIMEOUT_MS = 10_000

/** Time a node has to finish the frame of a stream that it opened, ms. */
export const INBOUND_FRAME_TIMEOUT_MS = 5_000

/** Streams of one protocol open to one node at a time: what libp2p lets in by default. */
export const MAX_OUTBOUND_STREAMS = 32

/** Streams of one protocol that one node may have open to us; a burst of pushes opens one each. */
export const MAX_INBOUND_STREAMS = 256

/** Longest reason in an answer that is kept, characters. */
export const MAX_REASON_CHARS = 256
