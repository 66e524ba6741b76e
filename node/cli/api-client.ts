import { randomUUID } from 'node:crypto'
import { type ErrorCode, errorTable, PostriderError } from '@postrider/protocol/errors'
import type { z } from 'zod'
import { MAX_PAGE_ITEMS } from '../api/constants.ts'
import { pageOf } from '../api/schemas/common.ts'
import { problem } from '../api/schemas/problem.ts'
import { API_TIMEOUT_MS, MAX_API_ANSWER_BYTES, MAX_LISTED } from './constants.ts'

/** The node's API for one token. Answers are read with the schemas that the node writes them with. */
export type ApiClient = {
  url: string
  /** @throws PostriderError `CLI_NODE_UNREACHABLE`, `CLI_API_ANSWER_INVALID`, or the node's own code */
  get<Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.output<Schema>>
  /** Every page of a list, up to `MAX_LISTED` items. */
  list<Item extends z.ZodType>(path: string, item: Item): Promise<z.output<Item>[]>
  /** A call that moves money; the key is made here, so a repetition by hand is a new call. */
  post<Schema extends z.ZodType>(path: string, body: object, schema: Schema): Promise<z.output<Schema>>
}

export function createApiClient({ url, token }: { url: string; token: string }): ApiClient {
  const call = async <Schema extends z.ZodType>(
    path: string,
    schema: Schema,
    request: { method: string; headers?: Record<string, string>; body?: string },
  ): Promise<z.output<Schema>> => {
    const response = await reach(new URL(path, url), {
      ...request,
      headers: { ...request.headers, authorization: `Bearer ${token}`, accept: 'application/json' },
    })
    const value = await readJson(response)
    if (!response.ok) throw fromProblem(value, response.status)
    const parsed = schema.safeParse(value)
    if (parsed.success) return parsed.data
    throw new PostriderError('CLI_API_ANSWER_INVALID', { detail: path, cause: parsed.error })
  }

  return {
    url,
    get: (path, schema) => call(path, schema, { method: 'GET' }),
    async list(path, item) {
      const page = pageOf(item)
      const items: z.output<typeof item>[] = []
      let cursor: string | null = null
      do {
        const query = new URLSearchParams({
          limit: `${MAX_PAGE_ITEMS}`,
          ...(cursor === null ? {} : { cursor }),
        })
        const answer: z.output<typeof page> = await call(
          `${path}${path.includes('?') ? '&' : '?'}${query}`,
          page,
          { method: 'GET' },
        )
        items.push(...(answer.items as z.output<typeof item>[]))
        cursor = answer.nextCursor
      } while (cursor !== null && items.length < MAX_LISTED)
      return items
    },
    post: (path, body, schema) =>
      call(path, schema, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': randomUUID() },
        body: JSON.stringify(body),
      }),
  }
}

async function reach(url: URL, request: RequestInit): Promise<Response> {
  try {
    return await fetch(url, { ...request, signal: AbortSignal.timeout(API_TIMEOUT_MS) })
  } catch (cause) {
    throw new PostriderError('CLI_NODE_UNREACHABLE', { detail: url.origin, data: { url: url.origin }, cause })
  }
}

async function readJson(response: Response): Promise<unknown> {
  try {
    let size = 0
    const chunks: Uint8Array[] = []
    for await (const chunk of response.body ?? []) {
      size += chunk.length
      if (size > MAX_API_ANSWER_BYTES) break
      chunks.push(chunk)
    }
    return JSON.parse(Buffer.concat(chunks).toString())
  } catch (cause) {
    throw new PostriderError('CLI_API_ANSWER_INVALID', { detail: `status ${response.status}`, cause })
  }
}

/** The node's refusal as if it had been thrown here. */
function fromProblem(value: unknown, status: number): PostriderError {
  const parsed = problem.safeParse(value)
  if (!parsed.success || !isErrorCode(parsed.data.code)) {
    return new PostriderError('CLI_API_ANSWER_INVALID', { detail: `status ${status}` })
  }
  const { code, title, detail, instance, data, issues } = parsed.data
  const said = detail?.startsWith(`${title}: `) ? detail.slice(title.length + 2) : undefined
  const problems = issues?.map(({ path, message }) => `${path}: ${message}`).join('; ')
  const more = said ?? problems
  return new PostriderError(code, {
    ...(more ? { detail: more } : {}),
    data: { ...data, requestId: instance },
  })
}

const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(errorTable, code)
