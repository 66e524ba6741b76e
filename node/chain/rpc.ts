import { type ErrorCode, isPostriderError, PostriderError } from '@postrider/protocol/errors'
import { RpcRequestError } from 'viem'
import type { Clock } from '../core/clock.ts'
import { redactUrl } from '../core/config/index.ts'
import { abortReason, withDeadline } from '../core/deadline.ts'
import type { Logger } from '../core/logger.ts'
import type { Metrics } from '../core/metrics.ts'
import {
  RPC_COOL_DOWN_MS,
  RPC_MAX_COOL_DOWN_MS,
  RPC_MAX_RESPONSE_BYTES,
  RPC_TIMEOUT_MS,
} from './constants.ts'

export type RpcRequest = { method: string; params?: unknown }

/** What is known of one endpoint; its URL without path, query and credentials. */
export type RpcHealth = {
  url: string
  state: 'unused' | 'ok' | 'failing' | 'wrong-chain'
  lastOkMs: number | undefined
  /** How long its last answer took. */
  latencyMs: number | undefined
  lastError: ErrorCode | undefined
}

/** Several JSON-RPC endpoints of one chain that look like one. */
export type RpcPool = {
  /**
   * Asks the best endpoint and, if it fails, the next. An answer that is an error of the request itself (a revert,
   * a bad nonce) comes from the first endpoint that gives it.
   *
   * @throws PostriderError `CHAIN_UNREACHABLE`, `CHAIN_WRONG_CHAIN`, `CHAIN_RPC_FAILED`; viem's `RpcRequestError`
   */
  request(request: RpcRequest): Promise<unknown>
  /** How many endpoints there are. */
  readonly size: number
  /** Which endpoints are neither set aside nor left alone after a failure. */
  inUse(): number[]
  /** Asks this endpoint and no other; undefined if it does not answer, or failed so lately that it is left alone. */
  ask(endpoint: number, request: RpcRequest, timeoutMs?: number): Promise<unknown>
  /** Takes an endpoint that answers, but wrongly, out of use; undefined takes it back. */
  setAside(endpoint: number, error: PostriderError | undefined): void
  /** Leaves the endpoint that is asked first alone for the longest pause, unless it is the only one. */
  suspect(error: PostriderError): void
  /** Answers every request with this error from now on; undefined ends that. `ask` goes on. */
  hold(error: PostriderError | undefined): void
  health(): RpcHealth[]
  /** Gives up what is under way and refuses what comes later. */
  close(): void
}

export type RpcPoolOptions = {
  /** Best first; http or https. */
  urls: readonly string[]
  chainId: number
  timeoutMs?: number
}

type Endpoint = {
  url: string
  state: RpcHealth['state']
  failures: number
  retryAtMs: number
  lastOkMs: number | undefined
  latencyMs: number | undefined
  lastError: ErrorCode | undefined
  /** Why it is not used although it answers. */
  aside: ErrorCode | undefined
}

/** JSON-RPC's codes for a request that no endpoint will answer differently. 3 is a revert with data. */
const REQUEST_FAULTS: ReadonlySet<number> = new Set([3, -32000, -32003, -32602])

/** Servers also use -32000 and -32603 for their own troubles; these texts tell the two apart. */
const SERVER_FAULT =
  /limit|rate|timeout|timed out|overload|unavailable|not available|internal|header not found|missing trie/i
const REVERT = /revert/i

export function createRpcPool(
  components: { clock: Clock; logger: Logger; metrics?: Metrics },
  { urls, chainId, timeoutMs = RPC_TIMEOUT_MS }: RpcPoolOptions,
): RpcPool {
  const { clock, logger, metrics } = components
  const failovers = metrics?.counter('rpc_failures_total', {
    help: 'Requests that an RPC endpoint did not answer',
  })
  const endpoints = urls.map(newEndpoint)
  const closing = new AbortController()
  let held: PostriderError | undefined
  let nextId = 1

  const call = async (
    endpoint: Endpoint,
    { method, params }: RpcRequest,
    ms: number = timeoutMs,
  ): Promise<unknown> => {
    const body = { jsonrpc: '2.0', id: nextId++, method, params: params ?? [] }
    const what = `${method} at ${redactUrl(endpoint.url)}`
    const startMs = clock.nowMs()
    const answer = await withDeadline(clock, { what, ms, signal: closing.signal }, (signal) =>
      post(endpoint.url, body, signal),
    )
    endpoint.latencyMs = Math.max(0, clock.nowMs() - startMs)
    return answer
  }

  /** Asked once per recovery, so that no answer of another chain is ever used. */
  const checkChain = async (endpoint: Endpoint, ms?: number): Promise<void> => {
    if (endpoint.state === 'ok') return
    const actual = Number(await call(endpoint, { method: 'eth_chainId' }, ms))
    if (actual === chainId) return
    throw new PostriderError('CHAIN_WRONG_CHAIN', {
      detail: `${redactUrl(endpoint.url)} serves chain ${actual}, not ${chainId}`,
      data: { expected: chainId, actual },
    })
  }

  const succeeded = (endpoint: Endpoint): void => {
    if (endpoint.failures > 0) logger.info({ endpoint: redactUrl(endpoint.url) }, 'RPC endpoint is back')
    Object.assign(endpoint, {
      state: 'ok',
      failures: 0,
      retryAtMs: 0,
      lastOkMs: clock.nowMs(),
      lastError: undefined,
    })
  }

  const failed = (endpoint: Endpoint, error: PostriderError): void => {
    const pauseMs = Math.min(RPC_COOL_DOWN_MS * 2 ** endpoint.failures, RPC_MAX_COOL_DOWN_MS)
    if (endpoint.failures === 0) {
      logger.warn({ endpoint: redactUrl(endpoint.url), err: error }, 'RPC endpoint fails')
    }
    endpoint.failures = Math.min(endpoint.failures + 1, 16)
    endpoint.retryAtMs = clock.nowMs() + pauseMs
    endpoint.state = error.code === 'CHAIN_WRONG_CHAIN' ? 'wrong-chain' : 'failing'
    endpoint.lastError = error.code
    failovers?.inc()
    metrics?.error(error.code)
  }

  /** Working endpoints in the configured order, then the failed ones, soonest to be retried first. */
  const inOrder = (): Endpoint[] => {
    const nowMs = clock.nowMs()
    const rank = (endpoint: Endpoint) => (endpoint.retryAtMs > nowMs ? endpoint.retryAtMs : 0)
    return endpoints.filter(({ aside }) => !aside).sort((a, b) => rank(a) - rank(b))
  }

  /** @throws PostriderError when the endpoint failed, which is noted; viem's `RpcRequestError` when that is the answer */
  const tryOne = async (endpoint: Endpoint, request: RpcRequest, ms?: number): Promise<unknown> => {
    try {
      await checkChain(endpoint, ms)
      const result = await call(endpoint, request, ms)
      succeeded(endpoint)
      return result
    } catch (error) {
      if (closing.signal.aborted) throw abortReason(closing.signal)
      if (isRequestFault(error)) {
        succeeded(endpoint)
        throw error
      }
      const coded = toPostriderError(error)
      failed(endpoint, coded)
      throw coded
    }
  }

  return {
    size: endpoints.length,
    async request(request) {
      if (held) throw held
      const errors: PostriderError[] = []
      for (const endpoint of inOrder()) {
        try {
          return await tryOne(endpoint, request)
        } catch (error) {
          if (closing.signal.aborted || !isPostriderError(error)) throw error
          errors.push(error)
        }
      }
      throw worstOf(errors)
    },
    inUse() {
      const nowMs = clock.nowMs()
      return [...endpoints.entries()].flatMap(([at, { aside, retryAtMs }]) =>
        aside || retryAtMs > nowMs ? [] : [at],
      )
    },
    async ask(at, request, ms) {
      const endpoint = endpoints[at]
      if (!endpoint || endpoint.retryAtMs > clock.nowMs()) return undefined
      try {
        return await tryOne(endpoint, request, ms)
      } catch (error) {
        if (closing.signal.aborted) throw error
        return undefined
      }
    },
    setAside(at, error) {
      const endpoint = endpoints[at]
      if (!endpoint || endpoint.aside === error?.code) return
      const shown = { endpoint: redactUrl(endpoint.url), ...(error && { err: error }) }
      if (error) logger.warn(shown, 'RPC endpoint is set aside')
      else logger.info(shown, 'RPC endpoint agrees with the others again')
      if (error) metrics?.error(error.code)
      endpoint.aside = error?.code
    },
    suspect(error) {
      const [first, ...others] = inOrder()
      if (!first || others.length === 0) return
      failed(first, error)
      first.retryAtMs = clock.nowMs() + RPC_MAX_COOL_DOWN_MS
    },
    hold(error) {
      held = error
    },
    health: () =>
      endpoints.map(({ url, state, lastOkMs, latencyMs, lastError, aside }) => ({
        url: redactUrl(url),
        state: aside && state === 'ok' ? ('failing' as const) : state,
        lastOkMs,
        latencyMs,
        lastError: aside ?? lastError,
      })),
    close: () => closing.abort(),
  }
}

function newEndpoint(url: string): Endpoint {
  return {
    url,
    state: 'unused',
    failures: 0,
    retryAtMs: 0,
    lastOkMs: undefined,
    latencyMs: undefined,
    lastError: undefined,
    aside: undefined,
  }
}

async function post(url: string, body: { method: string }, signal: AbortSignal): Promise<unknown> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal,
  })
  const answer = parseAnswer(await readText(response))
  if (answer?.error) throw new RpcRequestError({ body, error: answer.error, url: redactUrl(url) })
  if (!response.ok || !answer || !('result' in answer)) {
    throw new PostriderError('CHAIN_RPC_FAILED', {
      detail: `${body.method} at ${redactUrl(url)} answered HTTP ${response.status}`,
      data: { status: response.status },
    })
  }
  return answer.result
}

type RpcAnswer = { result?: unknown; error?: { code: number; message: string; data?: unknown } }

function parseAnswer(text: string): RpcAnswer | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as RpcAnswer) : undefined
  } catch {
    return undefined // an HTML error page, or cut off; the HTTP status tells more
  }
}

async function readText(response: Response): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > RPC_MAX_RESPONSE_BYTES) {
      throw new PostriderError('CHAIN_RPC_FAILED', {
        detail: `an answer is above ${RPC_MAX_RESPONSE_BYTES} bytes`,
      })
    }
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

/** Whether an error is the answer to the request, which every honest endpoint would give. */
function isRequestFault(error: unknown): error is RpcRequestError {
  if (!(error instanceof RpcRequestError)) return false
  if (error.data !== undefined || REVERT.test(error.details)) return true
  return REQUEST_FAULTS.has(error.code) && !SERVER_FAULT.test(error.details)
}

function toPostriderError(error: unknown): PostriderError {
  if (isPostriderError(error)) {
    return error.code === 'CORE_DEADLINE_EXCEEDED' || error.code === 'CORE_ABORTED'
      ? new PostriderError('CHAIN_UNREACHABLE', { detail: 'no answer in time', cause: error })
      : error
  }
  if (error instanceof RpcRequestError) {
    return new PostriderError('CHAIN_RPC_FAILED', {
      detail: error.details,
      data: { rpcCode: error.code },
      cause: error,
    })
  }
  return new PostriderError('CHAIN_UNREACHABLE', { cause: error })
}

/** What to tell when every endpoint failed: an answer says more than silence, silence more than a wrong chain. */
function worstOf(errors: readonly PostriderError[]): PostriderError {
  const byCode = (code: ErrorCode) => errors.find((error) => error.code === code)
  return (
    byCode('CHAIN_RPC_FAILED') ??
    byCode('CHAIN_UNREACHABLE') ??
    byCode('CHAIN_WRONG_CHAIN') ??
    new PostriderError('CHAIN_UNREACHABLE', { detail: 'no endpoint is configured' })
  )
}
