import { errorTable, isPostriderError, PostriderError } from '@postrider/protocol/errors'
import { formatPaymentRequired } from '@postrider/protocol/payment'
import {
  create,
  decode,
  encode,
  type StoreQueryRequest,
  StoreQueryRequestSchema,
  type StoreQueryResponse,
  StoreQueryResponseSchema,
  WakuMessageKeyValueSchema,
  WakuMessageSchema,
} from '@postrider/protocol/wire'
import { MAX_PAGE_BYTES } from './constants.ts'
import { type CheckedQuery, checkQuery } from './query.ts'
import type { Archive, Page, PageEntry, PaymentGate } from './types.ts'

export type AnswerComponents = { archive: Archive; payments: PaymentGate }

/** An answer and what the log and the metrics say about it. */
export type Answer = { response: StoreQueryResponse; status: number; error?: unknown }

/** Status codes of 13/STORE and 402, which stands for the payment protocol beside it. */
const STATUSES: ReadonlySet<number> = new Set([400, 402, 429, 503])

/**
 * Answers one query frame: decode → check → cursor → charge → read a page. What is wrong with a query is found
 * before it is charged. Never rejects: an error becomes a status with its code in the description.
 *
 * @param admit refuses by throwing, before anything costs work
 */
export async function answerQuery(
  components: AnswerComponents,
  query: { frame: Uint8Array; peer: string; admit(): void },
): Promise<Answer> {
  let requestId = ''
  try {
    query.admit()
    const request: StoreQueryRequest = decode(StoreQueryRequestSchema, query.frame)
    requestId = request.requestId
    return { response: await servePage(components, query, checkQuery(request)), status: 200 }
  } catch (error) {
    const status = statusOf(error)
    const statusDesc = describe(error)
    return {
      response: create(StoreQueryResponseSchema, { requestId, statusCode: status, statusDesc }),
      status,
      error,
    }
  }
}

async function servePage(
  components: AnswerComponents,
  { peer, frame }: { peer: string; frame: Uint8Array },
  query: CheckedQuery,
): Promise<StoreQueryResponse> {
  const { archive, payments } = components
  const { requestId, cursorHash, filter, forward, limit, includeData } = query
  const cursor = cursorHash && (await archive.position(cursorHash))
  if (cursorHash && !cursor) throw new PostriderError('STORE_CURSOR_UNKNOWN')
  const charge = await payments.charge({ peer, requestId, service: 'query', content: frame })
  if (!charge.ok) {
    throw new PostriderError('PAYMENT_REQUIRED', { data: { total: charge.total } })
  }
  const page = await archive.query({
    filter,
    ...(cursor ? { cursor } : {}),
    forward,
    limit,
    includeData,
    maxBytes: MAX_PAGE_BYTES,
  })
  return toResponse(query, page)
}

function toResponse({ requestId, forward }: CheckedQuery, page: Page): StoreQueryResponse {
  const last = forward ? page.entries.at(-1) : page.entries[0]
  return create(StoreQueryResponseSchema, {
    requestId,
    statusCode: 200,
    statusDesc: 'OK',
    messages: page.entries.map(toKeyValue),
    ...(page.more && last ? { paginationCursor: last.hash } : {}),
  })
}

function toKeyValue({ hash, pubsubTopic, data }: PageEntry) {
  return create(
    WakuMessageKeyValueSchema,
    data
      ? { messageHash: hash, message: decode(WakuMessageSchema, data), pubsubTopic }
      : { messageHash: hash },
  )
}

function statusOf(error: unknown): number {
  if (!isPostriderError(error)) return 500
  const http = errorTable[error.code].http ?? 500
  if (STATUSES.has(http)) return http
  return http < 500 ? 400 : 500
}

/** `CODE: message`, so that programs read the code and people the rest. Foreign errors say nothing about us. */
function describe(error: unknown): string {
  if (!isPostriderError(error)) return 'the node could not answer the query'
  const { total } = error.data
  return typeof total === 'bigint' ? formatPaymentRequired(total) : `${error.code}: ${error.message}`
}

/** The bytes of an answer. */
export function encodeAnswer({ response }: Answer): Uint8Array {
  return encode(StoreQueryResponseSchema, response)
}
