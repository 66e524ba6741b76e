import { PROTOCOL_IDS } from '@postrider/protocol/wire'

/** Where a node listens unless told otherwise: loopback, a free port each for TCP and WebSocket. */
export const DEFAULT_LISTEN = ['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/0/ws'] as const

/** Connections in all. At about 200 KB each with buffers that is 60 MB, and 20 times the mesh degree of one shard. */
export const MAX_CONNECTIONS = 300

/** Inbound connections that may be in their handshake at once; each holds a Noise state and a 10 s timer. */
export const MAX_PENDING_INBOUND = 64

/**
 * New inbound connections per second and IP address. One address may stand for a whole office or a devnet; each
 * connection costs about 10 ms of processor time with its handshakes, so one address can take half a core at most.
 */
export const INBOUND_CONNECTIONS_PER_SECOND = 50

/**
 * Grave offenders from one IP address within minutes after which it gets new connections only one at a time: few enough
 * that their handshakes cost nothing, more than an office has by accident.
 */
export const OFFENDERS_PER_ADDRESS = 8
export const OFFENDING_ADDRESS_CONNECTIONS_PER_SECOND = 1
/** Peers whose address is remembered after they left: minutes of new ones from one address at its full rate. */
export const MAX_REMEMBERED_ORIGINS = 16_384

/** Connections dialled at once, and dials waiting behind them. */
export const MAX_PARALLEL_DIALS = 16
export const MAX_DIAL_QUEUE = 128

/** How long a dial may take with name look-up and handshake, ms. */
export const DIAL_TIMEOUT_MS = 8_000

/** Streams that one peer may have open on one connection, over all protocols. */
export const MAX_STREAMS_PER_CONNECTION = 256

/**
 * New streams per second over mplex, which knows no limit of open ones and closes the connection beyond this. A
 * stock light client opens about eight at once when it connects, and one per request afterwards.
 */
export const MPLEX_STREAMS_PER_SECOND = 100

/** Bytes waiting in one stream while nobody reads; more resets the stream. The largest frame is below 1 MiB. */
export const MAX_STREAM_BUFFER_BYTES = 1_048_576

/** Largest WebSocket message, bytes. Noise sends at most 64 KiB at once; nothing honest comes near. */
export const MAX_WEBSOCKET_MESSAGE_BYTES = 1_048_576

/** How long a WebSocket's TCP connection may stay silent before its HTTP handshake is done, ms. */
export const WEBSOCKET_HANDSHAKE_MS = 10_000

/** Frames from this size on are encrypted by Node's cipher; below, WebAssembly is faster. Measured. */
export const NATIVE_CIPHER_BYTES = 512

/** Identify frames carry addresses and protocol names: 8 KiB hold more than a hundred of them. */
export const MAX_IDENTIFY_BYTES = 8_192

/** Bytes of a frame's length prefix: 4 varint bytes reach 256 MiB, far above every limit in use. */
export const MAX_LENGTH_PREFIX_BYTES = 4

/** How long an answered stream waits for the peer to close its side, ms; one slow round trip. */
export const STREAM_LINGER_MS = 5_000

// ---- gossip ------------------------------------------------------------------------------------------

/**
 * Gossip protocol names, the preferred one first. Between Postrider nodes plain gossipsub 1.2 is chosen for its
 * IDONTWANT and prune back-off; a node that only knows Waku's name still gets the same RPCs under that name.
 */
export const GOSSIP_PROTOCOLS: readonly string[] = ['/meshsub/1.2.0', PROTOCOL_IDS.relay]

/** Mesh degree per shard: target, low, high, kept by score, outbound, lazy. The values of the Waku network. */
export const GOSSIP_D = 6
export const GOSSIP_D_LOW = 4
export const GOSSIP_D_HIGH = 8
export const GOSSIP_D_SCORE = 6
export const GOSSIP_D_OUT = 3
export const GOSSIP_D_LAZY = 6

/** Gossip heartbeat, ms. */
export const GOSSIP_HEARTBEAT_MS = 1_000

/**
 * Heartbeats that a message stays in the cache. A verdict that comes later than this cannot forward the message
 * any more, so it is longer than the longest wait for a proof to be verified (`RELAY_VALIDATION_DEADLINE_MS`).
 */
export const GOSSIP_CACHE_HEARTBEATS = 15

/** Heartbeats whose message ids are advertised by IHAVE. */
export const GOSSIP_ADVERTISED_HEARTBEATS = 3

/**
 * How long a message id counts as seen, ms; longer than the 40 s from the first moment at which a message is acceptable
 * to the last. Not longer than needed: ids of ignored messages cost their sender nothing and us 400 bytes each.
 */
export const GOSSIP_SEEN_TTL_MS = 60_000

/** Largest gossip RPC, bytes: several of the largest messages with their control data. */
export const MAX_GOSSIP_RPC_BYTES = 1_048_576

/** Bytes queued for one slow gossip peer; beyond it the stream is reset and the connection made anew. */
export const MAX_GOSSIP_OUTBOUND_BYTES = 16 * 1_048_576

/**
 * What one RPC may hold. A node announces what it heard in three heartbeats, up to 5,000 ids a shard, and answers a
 * request for them with as many messages as fit. An RPC beyond a limit is dropped with all that is in it.
 */
export const GOSSIP_RPC_LIMITS = {
  maxSubscriptions: 256,
  maxMessages: 1_024,
  maxIhaveMessageIDs: 5_000,
  maxIwantMessageIDs: 5_000,
  maxIdontwantMessageIDs: 512,
  maxControlMessages: 256,
  maxPeerInfos: 0,
} as const

/** Messages that we put into one RPC, and their bytes; half of what we take ourselves. */
export const MAX_MESSAGES_PER_RPC = 64
export const MAX_RPC_MESSAGE_BYTES = MAX_GOSSIP_RPC_BYTES / 2

/** Memory for the topics that one peer says it subscribes, bytes: 64 shards with gossipsub's 1 KiB overhead each. */
export const MAX_TOPIC_BYTES_PEER = 65_536

/** Gossip streams that one peer may have open: the one in use and one that replaces it. */
export const MAX_GOSSIP_STREAMS = 2

// ---- peer scores: the thresholds and weights of the Waku network ----------------------------------------

/** Below: no IHAVE or IWANT with this peer. One invalid message is enough. */
export const SCORE_GOSSIP_THRESHOLD = -100
/** Below: own messages are not sent to this peer. */
export const SCORE_PUBLISH_THRESHOLD = -1_000
/** Below: everything from this peer is ignored. Ten invalid messages within seconds, or one invalid proof. */
export const SCORE_GRAYLIST_THRESHOLD = -10_000
/** Per squared count of recent invalid messages in one shard. */
export const SCORE_INVALID_WEIGHT = -100
/** What is left of that count after each decay interval. */
export const SCORE_INVALID_DECAY = 0.5
export const SCORE_DECAY_INTERVAL_MS = 12_000
/**
 * Protocol offences without a penalty: grafting too early, and announced messages that did not come when asked for. A
 * node under load commits some.
 */
export const SCORE_BEHAVIOUR_THRESHOLD = 6
/** Peers behind one address before each more costs; a home or an office has several. Loopback is exempt. */
export const SCORE_IP_COLOCATION_THRESHOLD = 10
export const SCORE_IP_COLOCATION_WEIGHT = -50

// ---- penalties: what a peer did, remembered across its reconnects -----------------------------------------

/** How long until half of a peer's penalty points are forgiven, ms. */
export const PENALTY_HALF_LIFE_MS = 600_000
/** Points at which connections with a peer are closed and refused. One point is one invalid message. */
export const PENALTY_BAN_POINTS = 50
/** Points below which a banned peer is let in again: one half-life after the last offence at the earliest. */
export const PENALTY_PARDON_POINTS = 25
/** Weight of squared points in the gossip score, beside gossipsub's own count, which a reconnect resets. */
export const PENALTY_SCORE_WEIGHT = -25
/** Peers remembered; about 100 bytes each. The one punished longest ago is forgotten first. */
export const MAX_PENALISED_PEERS = 4_096

// ---- peer manager ------------------------------------------------------------------------------------

/** How often the peer manager looks for missing connections, ms. */
export const PEER_TICK_MS = 1_000
/** Addresses that the peer manager keeps trying; a registry can hold more nodes than a node needs. */
export const MAX_PEER_TARGETS = 256
/** Connections that the peer manager opens by itself. More come in from others. */
export const MAX_KEPT_PEERS = 32
/** Dials that the peer manager has under way. */
export const MAX_KEEPER_DIALS = 8
/** Wait after the first failed dial, and the most after many, ms. Each failure doubles it; jitter is ±25 %. */
export const REDIAL_MIN_MS = 1_000
export const REDIAL_MAX_MS = 300_000
/** Ticks that a connected gossip peer may lack our outbound gossip stream before the connection is made anew. */
export const MUTE_TICKS = 10
