import {
  create,
  decode,
  encode,
  PROTOCOL_IDS,
  StoreQueryRequestSchema,
  type StoreQueryResponse,
  StoreQueryResponseSchema,
} from '@postrider/protocol/wire'
import { checkAnswer, readAnswer } from './answers.ts'
import { MAX_PAGE_FRAME_BYTES, PAGE_TIMEOUT_MS } from './constants.ts'
import type { Status } from './lightpush.ts'
import type { Transport } from './types.ts'

/** One page of a history query (13/WAKU2-STORE v3). Times are nanoseconds; start inclusive, end exclusive. */
export type PageRequest = {
  requestId: string
  includeData: boolean
  pubsubTopic?: string
  contentTopics?: string[]
  timeStart?: bigint
  timeEnd?: bigint
  messageHashes?: Uint8Array[]
  paginationCursor?: Uint8Array
  paginationForward: boolean
  paginationLimit?: bigint
}

export type Page = Status & Pick<StoreQueryResponse, 'messages' | 'paginationCursor'>

/** Asks for one page. @throws `CLIENT_STREAM_FAILED`, `CLIENT_TIMEOUT`, `CLIENT_BAD_RESPONSE` */
export async function queryPage(
  transport: Transport,
  peerId: string,
  request: PageRequest,
  signal?: AbortSignal,
): Promise<Page> {
  const frame = encode(StoreQueryRequestSchema, create(StoreQueryRequestSchema, request))
  const options = { maxBytes: MAX_PAGE_FRAME_BYTES, timeoutMs: PAGE_TIMEOUT_MS, signal }
  const bytes = await transport.request(peerId, PROTOCOL_IDS.storeQuery, frame, options)
  const answer = readAnswer(PROTOCOL_IDS.storeQuery, () => decode(StoreQueryResponseSchema, bytes))
  const { messages, paginationCursor } = answer
  const status = checkAnswer(PROTOCOL_IDS.storeQuery, request.requestId, answer)
  return { ...status, messages, ...(paginationCursor ? { paginationCursor } : {}) }
}
