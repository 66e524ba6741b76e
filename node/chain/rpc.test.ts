import { createServer, type Server } from 'node:http'
import { PostriderError } from '@postrider/protocol/errors'
import { afterEach, describe, expect, it } from 'vitest'
import { silentLogger } from '../core/logger.ts'
import { createManualClock } from '../core/testing/manual-clock.ts'
import { createRpcPool } from './rpc.ts'

type Reply = {
  status?: number
  body?: string
  result?: unknown
  error?: { code: number; message: string; data?: unknown }
}

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections()
})

/** An endpoint of chain 7 that answers everything else as told; undefined: never. */
async function startEndpoint(reply: (method: string) => Reply | undefined, chainId = 7) {
  const asked: string[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const { id, method } = JSON.parse(Buffer.concat(chunks).toString())
    asked.push(method)
    const answer = method === 'eth_chainId' ? { result: `0x${chainId.toString(16)}` } : reply(method)
    if (!answer) return
    const { status = 200, body, ...rest } = answer
    response.writeHead(status).end(body ?? JSON.stringify({ jsonrpc: '2.0', id, ...rest }))
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : 0
  return { url: `http://127.0.0.1:${port}`, asked }
}

const UNUSED = 'http://127.0.0.1:1'

function createPool(urls: string[], options: { timeoutMs?: number } = {}) {
  const clock = createManualClock()
  return { clock, pool: createRpcPool({ clock, logger: silentLogger }, { urls, chainId: 7, ...options }) }
}

describe('RPC pool', () => {
  it('asks the next endpoint when one is down, garbled, limited or of another chain', async () => {
    const garbled = await startEndpoint(() => ({ body: '<html>' }))
    const broken = await startEndpoint(() => ({ status: 502, body: 'bad gateway' }))
    const limited = await startEndpoint(() => ({ error: { code: -32005, message: 'rate limit' } }))
    const wrong = await startEndpoint(() => ({ result: 'wrong' }), 8)
    const good = await startEndpoint(() => ({ result: '0x1' }))
    const { pool } = createPool([UNUSED, garbled.url, broken.url, limited.url, wrong.url, good.url])
    await expect(pool.request({ method: 'eth_blockNumber' })).resolves.toBe('0x1')
    expect(pool.health().map(({ state }) => state)).toEqual([
      ...['failing', 'failing', 'failing', 'failing', 'wrong-chain', 'ok'],
    ])
    expect(wrong.asked).toEqual(['eth_chainId'])
  })

  it('leaves a failed endpoint alone for a while and comes back to the best', async () => {
    let down = true
    const first = await startEndpoint(() => (down ? { status: 500 } : { result: 'first' }))
    const second = await startEndpoint(() => ({ result: 'second' }))
    const { pool, clock } = createPool([first.url, second.url])
    for (let round = 0; round < 3; round++) expect(await pool.request({ method: 'x' })).toBe('second')
    expect(first.asked.filter((method) => method === 'x')).toHaveLength(1)
    down = false
    await clock.advance(2_000)
    expect(await pool.request({ method: 'x' })).toBe('first')
  })

  it('does not carry an answer about the request itself to other endpoints', async () => {
    const error = { code: 3, message: 'execution reverted', data: '0x1234' }
    const first = await startEndpoint(() => ({ error }))
    const second = await startEndpoint(() => ({ result: 'never asked' }))
    const { pool } = createPool([first.url, second.url])
    await expect(pool.request({ method: 'eth_call' })).rejects.toMatchObject({ code: 3, data: '0x1234' })
    expect(second.asked).toEqual([])
    expect(pool.health()[0]).toMatchObject({ state: 'ok' })
  })

  it('gives up on an endpoint that never answers', async () => {
    const silent = await startEndpoint(() => undefined)
    const good = await startEndpoint(() => ({ result: 1 }))
    const { pool, clock } = createPool([silent.url, good.url], { timeoutMs: 100 })
    const answer = pool.request({ method: 'x' })
    while (silent.asked.length < 2) await new Promise((resolve) => setImmediate(resolve))
    await clock.advance(100)
    await expect(answer).resolves.toBe(1)
  })

  it('says why when nobody answers', async () => {
    await expect(createPool([UNUSED]).pool.request({ method: 'x' })).rejects.toMatchObject({
      code: 'CHAIN_UNREACHABLE',
    })
    const wrong = await startEndpoint(() => ({ result: 1 }), 8)
    await expect(createPool([wrong.url]).pool.request({ method: 'x' })).rejects.toMatchObject({
      code: 'CHAIN_WRONG_CHAIN',
      data: { expected: 7, actual: 8 },
    })
    const limited = await startEndpoint(() => ({ error: { code: -32000, message: 'rate limit exceeded' } }))
    await expect(createPool([UNUSED, limited.url]).pool.request({ method: 'x' })).rejects.toMatchObject({
      code: 'CHAIN_RPC_FAILED',
    })
    await expect(createPool([]).pool.request({ method: 'x' })).rejects.toMatchObject({
      code: 'CHAIN_UNREACHABLE',
    })
  })

  it('asks one endpoint, for a time of its own, and leaves it alone when it failed', async () => {
    const silent = await startEndpoint(() => undefined)
    const good = await startEndpoint(() => ({ result: 'good' }))
    const { pool, clock } = createPool([silent.url, good.url])
    const asking = pool.ask(0, { method: 'eth_x' }, 500)
    while (!silent.asked.includes('eth_x')) await new Promise((wake) => setImmediate(wake))
    await clock.advance(500)
    expect(await asking).toBeUndefined()
    expect(await pool.ask(0, { method: 'eth_x' })).toBeUndefined()
    expect(silent.asked).toEqual(['eth_chainId', 'eth_x'])
    expect(await pool.ask(1, { method: 'eth_x' })).toBe('good')
  })

  it('answers by nobody who is set aside, and not at all while it is held', async () => {
    const [one, two] = await Promise.all(['one', 'two'].map((result) => startEndpoint(() => ({ result }))))
    const { pool } = createPool([one?.url ?? '', two?.url ?? ''])
    const answer = () => pool.request({ method: 'eth_x' })
    expect(await answer()).toBe('one')
    pool.setAside(0, new PostriderError('CHAIN_ENDPOINT_SET_ASIDE'))
    expect(await answer()).toBe('two')
    expect(pool.health()[0]).toMatchObject({ state: 'failing', lastError: 'CHAIN_ENDPOINT_SET_ASIDE' })
    pool.hold(new PostriderError('CHAIN_ENDPOINTS_DISAGREE'))
    await expect(answer()).rejects.toMatchObject({ code: 'CHAIN_ENDPOINTS_DISAGREE' })
    expect(await pool.ask(0, { method: 'eth_x' })).toBe('one')
    pool.hold(undefined)
    pool.setAside(0, undefined)
    expect(await answer()).toBe('one')
    pool.suspect(new PostriderError('CHAIN_LOGS_INCONSISTENT'))
    expect(await answer()).toBe('two')
  })

  it('gives up what is under way when it is closed', async () => {
    const silent = await startEndpoint(() => undefined)
    const { pool } = createPool([silent.url])
    const answer = expect(pool.request({ method: 'x' })).rejects.toMatchObject({ code: 'CORE_ABORTED' })
    while (silent.asked.length < 2) await new Promise((resolve) => setImmediate(resolve))
    pool.close()
    await answer
  })
})
