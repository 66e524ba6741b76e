import type { ErrorSection } from './types.ts'

export const wireErrors = {
  WIRE_MALFORMED: {
    title: 'The bytes are not a message of the expected type',
    retryable: false,
    fix: 'Encode the message as docs/protocol/message.md describes.',
    http: 400,
  },
  WIRE_NOT_CANONICAL: {
    title: 'The message is longer than its canonical encoding',
    retryable: false,
    fix: 'Encode each known field once and send no unknown fields.',
    http: 400,
  },
  WIRE_TOO_LARGE: {
    title: 'The message or frame is larger than its limit',
    retryable: false,
    fix: 'Split the payload; the limits are in docs/protocol/message.md.',
    http: 413,
  },
  WIRE_META_TOO_LARGE: {
    title: 'The meta field is longer than 64 bytes',
    retryable: false,
    fix: 'Move what does not fit into the payload.',
    http: 400,
  },
  WIRE_TOPIC_INVALID: {
    title: 'The pubsub topic is not a shard of this network',
    retryable: false,
    fix: 'Use /waku/2/rs/<cluster>/<shard> with the cluster and shards of the network file.',
    http: 400,
  },
  WIRE_CONTENT_TOPIC_INVALID: {
    title: 'The content topic has not the form /application/version/name/encoding',
    retryable: false,
    fix: 'Use a content topic with four non-empty parts, or with the generation 0 before them.',
    http: 400,
  },
  WIRE_SHARD_MISMATCH: {
    title: 'The content topic belongs to another shard',
    retryable: false,
    fix: 'Publish on the shard that autosharding gives for the content topic.',
    http: 400,
  },
  WIRE_VALUE_INVALID: {
    title: 'A value does not fit its field',
    retryable: false,
    fix: 'Check the width, the alphabet and the range of the value.',
    http: 400,
  },
} as const satisfies ErrorSection
