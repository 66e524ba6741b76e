import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

type Request = { id: number; method: string; params: readonly unknown[] }

/** Changes the result of a request; what it throws the endpoint answers as its failure. */
export type Lie = (result: unknown, request: Request) => unknown

/** A real endpoint behind a relay that changes its answers. */
export type LyingEndpoint = AsyncDisposable & {
  readonly url: string
  /** Changes every answer from now on; undefined: tells the truth. */
  tell(lie: Lie | undefined): void
  /** Requests so far, by method. */
  readonly asked: ReadonlyMap<string, number>
}

export async function startLyingEndpoint(truthUrl: string): Promise<LyingEndpoint> {
  let lie: Lie | undefined
  const asked = new Map<string, number>()
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk)
    const body = Buffer.concat(chunks).toString()
    const request = JSON.parse(body) as Request
    asked.set(request.method, (asked.get(request.method) ?? 0) + 1)
    const headers = { 'content-type': 'application/json' }
    try {
      const response = await fetch(truthUrl, { method: 'POST', headers, body })
      const answer = (await response.json()) as { result?: unknown }
      if (lie && 'result' in answer) answer.result = lie(answer.result, request)
      outgoing.end(JSON.stringify(answer))
    } catch {
      outgoing.writeHead(502).end()
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    tell(next) {
      lie = next
    },
    async [Symbol.asyncDispose]() {
      server.close().closeAllConnections()
      await once(server, 'close').catch(() => undefined)
    },
  }
}

type Block = { number: string; hash: string; timestamp: string }

const isBlock = ({ method }: Request) => method === 'eth_getBlockByNumber'
const hex = (value: number) => `0x${value.toString(16)}`

/** Lies about blocks: what becomes of a block, and whether the newest one was asked for. */
export function aboutBlocks(change: (block: Block, newest: boolean) => Partial<Block>): Lie {
  return (result, request) => {
    if (!isBlock(request) || result === null) return result
    const block = result as Block
    return { ...block, ...change(block, request.params[0] === 'latest') }
  }
}

/** The newest block is numbered this much higher, or lower. */
export const shiftedHead = (by: number): Lie =>
  aboutBlocks(({ number }, newest) => (newest ? { number: hex(Number(number) + by) } : {}))

/** The newest block stays the one that was the newest when this was first told. */
export function stuckHead(): Lie {
  let first: unknown
  return (result, request) => {
    if (!isBlock(request) || request.params[0] !== 'latest') return result
    first ??= result
    return first
  }
}

/** Every block is dated this much later, or earlier. */
export const shiftedTime = (seconds: number): Lie =>
  aboutBlocks(({ timestamp }) => ({ timestamp: hex(Number(timestamp) + seconds) }))

/** Blocks of another branch. */
export const otherFork: Lie = aboutBlocks(({ hash }) => ({ hash: `0x${hash.slice(-2)}${hash.slice(2, -2)}` }))

/** Leaves out events for which `keep` is false. */
export function withoutEvents(keep: (log: { topics: string[] }) => boolean): Lie {
  return (result, { method }) =>
    method === 'eth_getLogs' ? (result as { topics: string[] }[]).filter(keep) : result
}

/** Tells every event twice. */
export const doubledEvents: Lie = (result, { method }) =>
  method === 'eth_getLogs' ? [...(result as object[]), ...(result as object[])] : result

/** Tells every event twice, the second time in another place. */
export const displacedEvents: Lie = (result, { method }) => {
  if (method !== 'eth_getLogs') return result
  const logs = result as { logIndex: string }[]
  return [...logs, ...logs.map((log) => ({ ...log, logIndex: hex(Number(log.logIndex) + 1_000) }))]
}

/** Lies consistently: tells no event of this kind, and answers every call as it did the first time, whatever the block. */
export function frozenContract(hidden: string): Lie {
  const first = new Map<string, unknown>()
  const keep = withoutEvents(({ topics }) => topics[0] !== hidden)
  return (result, request) => {
    if (request.method !== 'eth_call') return keep(result, request)
    const call = JSON.stringify(request.params[0])
    if (!first.has(call)) first.set(call, result)
    return first.get(call)
  }
}
