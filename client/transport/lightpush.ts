import {
  create,
  decode,
  encode,
  LightpushRequestSchema,
  LightpushResponseSchema,
  PROTOCOL_IDS,
  type WakuMessage,
} from '@postrider/protocol/wire'
import { checkAnswer, readAnswer } from './answers.ts'
import { MAX_STATUS_FRAME_BYTES } from './constants.ts'
import type { Transport } from './types.ts'

/** A node's answer in the terms of HTTP: 200 is success, 402 wants payment. */
export type Status = { code: number; reason: string }

export type PushRequest = { requestId: string; pubsubTopic: string; message: WakuMessage }

/**
 * Hands one message to a node (19/WAKU2-LIGHTPUSH v3). The same request id is never charged twice.
 *
 * @throws PostriderError `CLIENT_STREAM_FAILED`, `CLIENT_TIMEOUT`, `CLIENT_BAD_RESPONSE`
 */
export async function push(
  transport: Transport,
  peerId: string,
  request: PushRequest,
  signal?: AbortSignal,
): Promise<Status> {
  const frame = encode(LightpushRequestSchema, create(LightpushRequestSchema, request))
  const options = { maxBytes: MAX_STATUS_FRAME_BYTES, signal }
  const bytes = await transport.request(peerId, PROTOCOL_IDS.lightpush, frame, options)
  const answer = readAnswer(PROTOCOL_IDS.lightpush, () => decode(LightpushResponseSchema, bytes))
  return checkAnswer(PROTOCOL_IDS.lightpush, request.requestId, answer)
}
