import { errorTable } from '@postrider/protocol/errors'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { MAX_BODY_BYTES, RATE_BURST } from './constants.ts'
import { postAmount } from './schemas/common.ts'
import { channel } from './schemas/payments.ts'
import { slashCase } from './schemas/rln.ts'
import { fakeChannel, POST } from './testing/fake-views.ts'
import { bearer, createTestApp, OPERATE_TOKEN, READ_TOKEN } from './testing/harness.ts'

let context: Awaited<ReturnType<typeof createTestApp>>
beforeEach(async () => {
  context = await createTestApp()
})
afterEach(() => context.app.close())

const get = (url: string, headers: Record<string, string> = bearer(READ_TOKEN)) =>
  context.app.inject({ method: 'GET', url, headers })
const post = (url: string, payload: object, headers: Record<string, string>) =>
  context.app.inject({ method: 'POST', url, payload, headers: { ...bearer(OPERATE_TOKEN), ...headers } })

describe('who may ask', () => {
  const closed = ['/v1/node', '/v1/events', '/health', '/metrics', '/v1/channels']
  test.each(closed)('%s needs a token', async (url) => {
    const answer = await get(url, {})
    expect(answer.statusCode).toBe(401)
    expect(answer.headers['www-authenticate']).toBe('Bearer')
    expect(answer.json()).toMatchObject({ code: 'API_UNAUTHORIZED', retryable: false })
  })

  test.each(['/livez', '/readyz', '/openapi.json', '/v1/errors/API_NOT_FOUND'])('%s is open', async (url) => {
    expect((await get(url, {})).statusCode).toBe(200)
  })

  test('every documented route but the open ones refuses a stranger', async () => {
    const { paths } = context.app.swagger() as {
      paths: Record<string, Record<string, { security?: unknown }>>
    }
    for (const [path, methods] of Object.entries(paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        const url = path.replaceAll(/\{\w+\}/g, `0x${'0'.repeat(64)}`)
        const answer = await context.app.inject({ method: method === 'post' ? 'POST' : 'GET', url })
        if (operation.security) expect([path, answer.statusCode]).toEqual([path, 401])
        else expect([path, answer.statusCode]).not.toEqual([path, 401])
      }
    }
  })

  test('a read token cannot act', async () => {
    const answer = await context.app.inject({
      method: 'POST',
      url: '/v1/rewards/claim',
      payload: {},
      headers: bearer(READ_TOKEN),
    })
    expect(answer.statusCode).toBe(403)
    expect(answer.json()).toMatchObject({ code: 'API_FORBIDDEN', data: { scope: 'operate' } })
    expect(context.fake.begun).toEqual([])
  })

  test('a wrong token is refused', async () => {
    expect((await get('/v1/node', bearer('ptr_wrong'))).statusCode).toBe(401)
    expect((await get('/v1/node', { authorization: `Basic ${READ_TOKEN}` })).statusCode).toBe(401)
  })

  test('too many requests are refused with the time to wait, and time heals', async () => {
    for (let sent = 0; sent < RATE_BURST; sent++) await get('/livez', {})
    const refused = await get('/livez', {})
    expect(refused.statusCode).toBe(429)
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
    expect((await get('/v1/node')).statusCode).toBe(200) // a token is counted apart
    await context.clock.advance(1_000)
    expect((await get('/livez', {})).statusCode).toBe(200)
  })
})

describe('what is shown', () => {
  const routes = [
    '/v1/node',
    '/v1/peers',
    '/v1/relay',
    '/v1/store',
    '/v1/payments',
    '/v1/rewards',
    '/v1/rln',
    '/v1/slashing',
    '/v1/channels',
    '/v1/payments/ledger',
    '/v1/payments/redemptions',
    '/v1/payments/redemptions/r-1',
    '/v1/stake',
    '/v1/actions',
  ]
  test.each(routes)('%s answers', async (url) => {
    const answer = await get(url)
    expect([answer.statusCode, answer.json().code]).toEqual([200, undefined])
  })

  test('amounts are text with their unit and survive the way there and back', async () => {
    const { deposit } = (await get(`/v1/channels/${fakeChannel(1).id}`)).json()
    expect(deposit).toEqual({ amount: '10000000000000000000', unit: 'POST', decimals: 18 })
    expect(postAmount.parse(deposit)).toBe(10n * POST)
    expect(channel.parse((await get(`/v1/channels/${fakeChannel(1).id}`)).json())).toEqual(fakeChannel(1))
  })

  test('a slashing case carries its evidence byte for byte', async () => {
    const answer = slashCase.parse((await get('/v1/slashing/case-1')).json())
    expect(answer.evidence.bytes).toEqual(Uint8Array.of(1, 2, 3))
    expect(answer.commitment).toBe(5n ** 100n)
  })

  test('lists are cut into pages that join without gap or repetition', async () => {
    const first = (await get('/v1/channels?limit=2')).json()
    expect(first.items.map(({ id }: { id: string }) => id)).toEqual([fakeChannel(1).id, fakeChannel(2).id])
    const second = (await get(`/v1/channels?limit=2&cursor=${first.nextCursor}`)).json()
    expect(second.items.map(({ id }: { id: string }) => id)).toEqual([fakeChannel(3).id])
    expect(second.nextCursor).toBeNull()
  })

  test('lists filter', async () => {
    const { items } = (await get('/v1/channels?state=closing')).json()
    expect(items.map(({ state }: { state: string }) => state)).toEqual(['closing'])
  })

  test('the same list as CSV: base units and whole units', async () => {
    const answer = await get('/v1/channels', { ...bearer(READ_TOKEN), accept: 'text/csv' })
    expect(answer.headers['content-type']).toContain('text/csv')
    const [heading, row, ...rest] = answer.body.trimEnd().split('\r\n')
    expect(heading).toContain('paid,paid (POST)')
    expect(row).toContain('1000000000000000001,1.000000000000000001')
    expect(rest).toHaveLength(2)
    const ledger = await get('/v1/payments/ledger', { ...bearer(READ_TOKEN), accept: 'text/csv' })
    expect(ledger.body.split('\r\n')[3]).toBe(
      `entry-3,2023-11-14T22:13:20.003Z,redeemed,1000000000000000000,1,3000000000000000000,3,${fakeChannel(3).id},${fakeChannel(3).id},42`,
    )
  })
})

describe('what goes wrong', () => {
  test.each([
    ['/v1/nothing', 404, 'API_NOT_FOUND'],
    [`/v1/channels/0x${'f'.repeat(64)}`, 404, 'API_NOT_FOUND'],
    ['/v1/channels/nonsense', 400, 'API_REQUEST_INVALID'],
    ['/v1/channels?limit=0', 400, 'API_REQUEST_INVALID'],
    ['/v1/channels?limit=100000', 400, 'API_REQUEST_INVALID'],
    ['/v1/channels?cursor=%25%25', 400, 'API_CURSOR_INVALID'],
    ['/v1/errors/NO_SUCH_CODE', 404, 'API_NOT_FOUND'],
    ['/v1/chain', 503, 'CHAIN_UNREACHABLE'],
  ])('%s gives %i %s', async (url, status, code) => {
    const answer = await get(url)
    expect(answer.statusCode).toBe(status)
    expect(answer.headers['content-type']).toContain('application/problem+json')
    expect(answer.json()).toMatchObject({ status, code, type: `/v1/errors/${code}` })
    expect(answer.json().instance).toBe(answer.headers['x-request-id'])
  })

  test('the type of a problem leads to its explanation', async () => {
    const { type } = (await get('/v1/channels?limit=0')).json()
    expect((await get(type, {})).json()).toMatchObject({ ...errorTable.API_REQUEST_INVALID, http: 400 })
  })

  test('what failed inside stays inside', async () => {
    const chain = await get('/v1/chain')
    expect(chain.body).not.toContain('secret-key')
    context.fake.onBegin.run = async () => {
      throw new TypeError('/home/operator/secret')
    }
    const answer = await post('/v1/rewards/claim', {}, { 'idempotency-key': 'k' })
    expect(answer.json()).toMatchObject({ status: 500, code: 'API_INTERNAL' })
    expect(answer.body).not.toContain('operator')
    expect(context.errors.at(-1)).toMatchObject({ requestId: answer.json().instance, code: 'API_INTERNAL' })
  })

  test('bodies have a limit and must be JSON', async () => {
    const headers = { ...bearer(OPERATE_TOKEN), 'idempotency-key': 'k', 'content-type': 'application/json' }
    const send = (payload: string, changes = {}) =>
      context.app.inject({
        method: 'POST',
        url: '/v1/rewards/claim',
        payload,
        headers: { ...headers, ...changes },
      })
    expect((await send(`"${'x'.repeat(MAX_BODY_BYTES)}"`)).json().code).toBe('API_BODY_TOO_LARGE')
    expect((await send('{')).json().code).toBe('API_REQUEST_INVALID')
    expect((await send('a=b', { 'content-type': 'text/plain' })).json().code).toBe(
      'API_MEDIA_TYPE_UNSUPPORTED',
    )
    const unknownField = (await send('{"chanels":[]}')).json()
    expect(unknownField.code).toBe('API_REQUEST_INVALID')
    expect(unknownField.issues).toHaveLength(1)
    expect(context.fake.begun).toEqual([])
  })

  test('every answered code is counted', async () => {
    await get('/v1/nothing')
    const { body, headers } = await get('/metrics')
    expect(headers['content-type']).toContain('text/plain')
    expect(body).toContain('postrider_error_total{code="API_NOT_FOUND"} 1')
    expect(body).toContain('postrider_api_request_seconds')
  })
})

describe('health', () => {
  test('a chain outage makes the node not ready, and leaves it alive', async () => {
    const [chain] = context.fake.subsystems
    Object.assign(chain!, { state: 'down', reason: 'no endpoint answers', code: 'CHAIN_UNREACHABLE' })
    expect((await get('/livez', {})).statusCode).toBe(200)
    const ready = await get('/readyz', {})
    expect([ready.statusCode, ready.json()]).toEqual([503, { ready: false, waitingFor: ['chain'] }])
    const health = await get('/health')
    expect(health.statusCode).toBe(200)
    expect(health.json()).toMatchObject({ status: 'not-ready', ready: false })
    expect(health.json().subsystems[0]).toMatchObject({ name: 'chain', reason: 'no endpoint answers' })
  })

  test('an optional subsystem that is down only degrades', async () => {
    Object.assign(context.fake.subsystems[2]!, { state: 'down', reason: 'disk full' })
    expect((await get('/readyz', {})).statusCode).toBe(200)
    expect((await get('/health')).json().status).toBe('degraded')
  })
})
