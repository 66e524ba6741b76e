import type { ErrorSection } from './types.ts'

// Errors of the libp2p host and of the gossip relay.
export const relayErrors = {
  RELAY_OVERLOADED: {
    title: 'The verification queue is full',
    retryable: true,
    fix: 'Send the message again later or through another node.',
    http: 503,
  },
  RELAY_PEER_BUDGET: {
    title: 'This peer has as many messages waiting for verification as it may',
    retryable: true,
    fix: 'Send the message again when earlier ones are answered, or through another node.',
    http: 429,
  },
  RELAY_LOG_FULL: {
    title: 'The nullifier log holds as many entries of this epoch as it may',
    retryable: true,
    fix: 'Send the message again in the next epoch or through another node; an operator can raise the limit.',
    http: 503,
  },
  RELAY_STOPPED: {
    title: 'The relay is stopping',
    retryable: true,
    fix: 'Send the message through another node.',
    http: 503,
  },
  RELAY_NO_PEERS: {
    title: 'The node has no relay peers on this shard',
    retryable: true,
    fix: 'Wait until the node is connected or use another node.',
    http: 503,
  },
  RELAY_STARTED_TWICE: {
    title: 'A part of the node was started while it was running',
    retryable: false,
    fix: 'This is a defect: start each part once, and again only after it was stopped.',
  },
  RELAY_IDENTITY_INVALID: {
    title: 'The file does not hold a libp2p Ed25519 private key',
    retryable: false,
    fix: 'Restore the identity key from a backup. Removing the file makes a new peer id that is not registered.',
  },
  RELAY_LISTEN_FAILED: {
    title: 'The node cannot listen on its addresses',
    retryable: true,
    fix: 'Check that the ports are free and the addresses belong to this machine.',
  },
  RELAY_DIAL_FAILED: {
    title: 'The peer cannot be reached',
    retryable: true,
    fix: 'Check the address and that the peer runs; the node keeps trying by itself.',
    http: 502,
  },
  RELAY_GOSSIP_INCOMPATIBLE: {
    title: 'The installed gossipsub lacks an interface that the relay needs',
    retryable: false,
    fix: 'Install the exact versions of the lockfile.',
  },
  RELAY_WEBSOCKET_INCOMPATIBLE: {
    title: 'The installed WebSocket transport lacks what its limits are set on',
    retryable: false,
    fix: 'Install the exact versions of the lockfile.',
  },
  RELAY_STREAMS_EXHAUSTED: {
    title: 'The node serves as many streams of this protocol as it may',
    retryable: true,
    fix: 'Try again later or ask another node.',
    http: 503,
  },
  RELAY_CLUSTER_MISMATCH: {
    title: 'The peer belongs to another cluster',
    retryable: false,
    fix: 'Use the network file of the same network on both sides.',
    http: 400,
  },
  RELAY_SLASH_LOST: {
    title: 'Another account slashed the member first',
    retryable: false,
    fix: 'Nothing: the spammer has lost its deposit, the reward went to whoever was first.',
  },
  RELAY_SLASH_FAILED: {
    title: 'The member could not be slashed',
    retryable: false,
    fix: 'The detail names the refusal. A member without a deposit on chain has nothing to lose.',
  },
  RELAY_CASE_UNKNOWN: {
    title: 'There is no slashing case of this id',
    retryable: false,
    fix: 'List the cases and use an id from there.',
    http: 404,
  },
} as const satisfies ErrorSection
