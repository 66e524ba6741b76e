import { CHANGE_BYTES, MAX_CHANGES_PER_PAGE } from '@postrider/protocol/rln'
import { MAX_MESSAGE_BYTES } from '@postrider/protocol/wire'

/** Room around a message for request id, topics and hashes, bytes. */
const ENVELOPE_BYTES = 4 * 1024

/** Largest frame that carries one message (lightpush request, filter push), bytes. */
export const MAX_MESSAGE_FRAME_BYTES = MAX_MESSAGE_BYTES + ENVELOPE_BYTES

/** Largest answer without a message (lightpush, filter, metadata), bytes. */
export const MAX_STATUS_FRAME_BYTES = 16 * 1024

/** Largest page of a history query, bytes: what nodes send (3.5 MiB of messages) with hashes and topics around it. */
export const MAX_PAGE_FRAME_BYTES = 4 * 1024 * 1024

/** Largest page of member changes, bytes: 8,192 of 38 bytes, with status and counts around them. */
export const MAX_CHANGES_FRAME_BYTES = MAX_CHANGES_PER_PAGE * CHANGE_BYTES + ENVELOPE_BYTES

/** Time to connect, secure and multiplex, ms. */
export const DIAL_TIMEOUT_MS = 10_000

/** Time from the request to the whole answer, ms: above the node's own deadline, below the 20 s clock window. */
export const REQUEST_TIMEOUT_MS = 10_000

/** Time for one page of history, ms: 4 MiB over 1 Mbit/s. */
export const PAGE_TIMEOUT_MS = 40_000

/** How long a stream that a node opened may be silent before it is dropped, ms; nodes open a new one then. */
export const INBOUND_IDLE_MS = 300_000

/** Streams of one protocol open to one node at a time: what libp2p lets in by default. */
export const MAX_OUTBOUND_STREAMS = 32

/** Streams of one protocol that one node may have open to us; some nodes open one for each push. */
export const MAX_INBOUND_STREAMS = 256

/** Longest reason in an answer that is kept, characters. */
export const MAX_REASON_CHARS = 256
