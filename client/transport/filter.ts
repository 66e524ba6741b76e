import {
  create,
  decode,
  encode,
  FilterSubscribeRequestSchema,
  FilterSubscribeResponseSchema,
  MessagePushSchema,
  PROTOCOL_IDS,
  type WakuMessage,
} from '@postrider/protocol/wire'
import { checkAnswer, readAnswer } from './answers.ts'
import { MAX_MESSAGE_FRAME_BYTES, MAX_STATUS_FRAME_BYTES } from './constants.ts'
import type { Status } from './lightpush.ts'
import type { Transport } from './types.ts'

/** 12/WAKU2-FILTER's request types. */
const TYPES = { ping: 0, subscribe: 1, unsubscribe: 2, unsubscribeAll: 3 } as const

export type FilterRequest = {
  requestId: string
  type: keyof typeof TYPES
  pubsubTopic?: string
  contentTopics?: string[]
}

/** Sends one filter request. @throws `CLIENT_STREAM_FAILED`, `CLIENT_TIMEOUT`, `CLIENT_BAD_RESPONSE` */
export async function filter(
  transport: Transport,
  peerId: string,
  { type, ...request }: FilterRequest,
  signal?: AbortSignal,
): Promise<Status> {
  const message = create(FilterSubscribeRequestSchema, { ...request, filterSubscribeType: TYPES[type] })
  const frame = encode(FilterSubscribeRequestSchema, message)
  const options = { maxBytes: MAX_STATUS_FRAME_BYTES, signal }
  const bytes = await transport.request(peerId, PROTOCOL_IDS.filterSubscribe, frame, options)
  const answer = readAnswer(PROTOCOL_IDS.filterSubscribe, () => decode(FilterSubscribeResponseSchema, bytes))
  return checkAnswer(PROTOCOL_IDS.filterSubscribe, request.requestId, answer)
}

/** What a node pushed. */
export type Pushed = { peerId: string; pubsubTopic: string | undefined; message: WakuMessage }

/** Takes pushed messages; malformed frames break their stream and are not seen. Before the transport starts. */
export function handlePushes(transport: Transport, onPush: (pushed: Pushed) => void): void {
  transport.handle(PROTOCOL_IDS.filterPush, MAX_MESSAGE_FRAME_BYTES, (frame, peerId) => {
    const { wakuMessage, pubsubTopic } = decode(MessagePushSchema, frame)
    if (wakuMessage) onPush({ peerId, pubsubTopic, message: wakuMessage })
    return undefined
  })
}
