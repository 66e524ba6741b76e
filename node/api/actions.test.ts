import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openDatabase } from '../core/db/index.ts'
import { eventually } from '../core/testing/eventually.ts'
import { createTempDir, type TempDir } from '../core/testing/temp-dir.ts'
import { createIdempotencyStore } from './idempotency.ts'
import { action, actionPlan } from './schemas/actions.ts'
import { fakeChannel, POST } from './testing/fake-views.ts'
import { bearer, createTestApp, OPERATE_TOKEN, READ_TOKEN } from './testing/harness.ts'
import type { Command } from './types.ts'

const CLAIM = '/v1/rewards/claim'
const CHANNEL = fakeChannel(1).id

/** An API whose answers are in the database of a folder, as those of a node. */
async function startApi(dir: TempDir) {
  const database = await openDatabase(dir.file('node.db'))
  const context = await createTestApp((clock) => createIdempotencyStore(database.db, clock))
  const post = (url: string, payload: object | undefined, key?: string) =>
    context.app.inject({
      method: 'POST',
      url,
      ...(payload && { payload }),
      headers: { ...bearer(OPERATE_TOKEN), ...(key !== undefined && { 'idempotency-key': key }) },
    })
  const get = (url: string) => context.app.inject({ method: 'GET', url, headers: bearer(READ_TOKEN) })
  const stop = async () => {
    await context.app.close()
    await database.close()
  }
  return { ...context, post, get, stop }
}

let dir: TempDir
let api: Awaited<ReturnType<typeof startApi>>
beforeEach(async () => {
  dir = await createTempDir()
  api = await startApi(dir)
})
afterEach(async () => {
  await api.stop()
  await dir.remove()
})

describe('every action', () => {
  const amount = { amount: `${POST}`, unit: 'POST', decimals: 18 }
  const cases: [url: string, body: object, command: Command][] = [
    ['/v1/stake/add', { amount }, { kind: 'stake.add', amount: POST }],
    ['/v1/stake/add', { amount: null }, { kind: 'stake.add', amount: null }],
    ['/v1/stake/exit', {}, { kind: 'stake.exit' }],
    ['/v1/stake/withdraw', {}, { kind: 'stake.withdraw' }],
    [`/v1/channels/${CHANNEL}/settle`, {}, { kind: 'rewards.claim', channels: [CHANNEL], force: true }],
    [`/v1/channels/${CHANNEL}/close`, {}, { kind: 'channel.close', channelId: CHANNEL }],
    ['/v1/channels/close', {}, { kind: 'channel.close', channelId: null }],
    [CLAIM, {}, { kind: 'rewards.claim', channels: undefined, force: false }],
    [
      CLAIM,
      { channels: [CHANNEL], force: true },
      { kind: 'rewards.claim', channels: [CHANNEL], force: true },
    ],
    ['/v1/payments/redemptions/r-1/approve', {}, { kind: 'rewards.claim', redemption: 'r-1' }],
  ]

  test.each(cases)('%s %j is planned, then begun with a place to look', async (url, body, command) => {
    const dry = await api.post(url, { ...body, dryRun: true })
    expect([dry.statusCode, api.fake.begun]).toEqual([200, []])
    expect(actionPlan.parse(dry.json())).toMatchObject({ kind: command.kind, wouldSend: true, gas: 90_000n })
    const begun = await api.post(url, body, 'key')
    expect([begun.statusCode, begun.headers.location]).toEqual([202, '/v1/actions/a-1'])
    expect(api.fake.begun).toEqual([command])
    const shown = await api.get('/v1/actions/a-1')
    expect(action.parse(shown.json())).toEqual(action.parse(begun.json()))
  })

  test('needs an Idempotency-Key unless it is a dry run', async () => {
    expect((await api.post(CLAIM, {})).json()).toMatchObject({
      status: 400,
      code: 'API_IDEMPOTENCY_KEY_MISSING',
    })
  })

  test('needs no body where nothing is to be said', async () => {
    expect((await api.post('/v1/stake/exit', undefined, 'key')).statusCode).toBe(202)
  })

  test('that names what does not exist is answered 404', async () => {
    const missing = `0x${'f'.repeat(64)}`
    const urls = [
      `/v1/channels/${missing}/close`,
      `/v1/channels/${missing}/settle`,
      '/v1/payments/redemptions/r-9/approve',
    ]
    for (const url of urls) {
      expect((await api.post(url, { dryRun: true })).json()).toMatchObject({
        status: 404,
        code: 'API_NOT_FOUND',
      })
      expect((await api.post(url, {}, url)).json()).toMatchObject({ status: 404, code: 'API_NOT_FOUND' })
    }
    expect((await api.get('/v1/actions/a-9')).statusCode).toBe(404)
  })

  test('that a check refuses says which, and is refused again', async () => {
    const check = { name: 'exit', state: 'failed' as const, reason: 'announced already', fix: 'wait' }
    api.fake.onPlan.changes = { wouldSend: false, checks: [check] }
    const dry = await api.post('/v1/stake/exit', { dryRun: true })
    expect(dry.json()).toMatchObject({ wouldSend: false, checks: [check] })
    const refused = await api.post('/v1/stake/exit', {}, 'key')
    expect(refused.json()).toMatchObject({
      status: 409,
      code: 'API_ACTION_REFUSED',
      data: { checks: [check] },
    })
    api.fake.onPlan.changes = {}
    expect((await api.post('/v1/stake/exit', {}, 'key')).body).toBe(refused.body)
  })

  test('without anything to do answers the plan', async () => {
    const reason = { code: 'PAYMENT_CLAIM_TOO_SMALL', text: 'not worth its gas' }
    api.fake.onPlan.changes = { wouldSend: false, steps: [], reason }
    const nothing = await api.post(CLAIM, {}, 'key')
    expect([nothing.statusCode, nothing.json().reason]).toEqual([200, reason])
  })

  test('a wrong amount is no amount', async () => {
    const other = [{ amount: '1.5' }, { amount: '0' }, { unit: 'ETH' }].map((change) => ({
      ...amount,
      ...change,
    }))
    const bad = [...other, '1', undefined]
    for (const [at, amount] of bad.entries()) {
      expect((await api.post('/v1/stake/add', { amount }, `key-${at}`)).statusCode).toBe(400)
    }
    expect(api.fake.begun).toEqual([])
  })
})

describe('an Idempotency-Key', () => {
  test('makes repetitions of a request one', async () => {
    const first = await api.post(CLAIM, {}, 'a')
    const again = await api.post(CLAIM, {}, 'a')
    expect([again.statusCode, again.body, again.headers.location]).toEqual([
      202,
      first.body,
      first.headers.location,
    ])
    expect([first, again].map(({ headers }) => headers['idempotency-replayed'])).toEqual([undefined, 'true'])
    expect(api.fake.begun).toHaveLength(1)
    expect((await api.post(CLAIM, {}, 'b')).json().id).toBe('a-2')
  })

  test('belongs to one content', async () => {
    await api.post(CLAIM, {}, 'a')
    const other = await api.post(CLAIM, { force: true }, 'a')
    expect(other.json()).toMatchObject({ status: 409, code: 'API_IDEMPOTENCY_KEY_REUSED', retryable: false })
    await api.post(`/v1/channels/${CHANNEL}/close`, {}, 'c')
    const otherPath = await api.post(`/v1/channels/${fakeChannel(2).id}/close`, {}, 'c')
    expect(otherPath.json().code).toBe('API_IDEMPOTENCY_KEY_REUSED')
    expect(api.fake.begun).toHaveLength(2)
  })

  test('of one route says nothing of another', async () => {
    await api.post('/v1/stake/exit', {}, 'a')
    expect((await api.post('/v1/stake/withdraw', {}, 'a')).statusCode).toBe(202)
  })

  test('used many times at once begins one action', async () => {
    const gate = Promise.withResolvers<void>()
    api.fake.onBegin.run = () => gate.promise
    const answers: { statusCode: number; body: string }[] = []
    const sent = Array.from({ length: 10 }, async () => answers.push(await api.post(CLAIM, {}, 'a')))
    await eventually(() => expect(answers).toHaveLength(9))
    for (const { statusCode, body } of answers) {
      expect([statusCode, JSON.parse(body).code]).toEqual([409, 'API_IDEMPOTENCY_IN_FLIGHT'])
    }
    gate.resolve()
    await Promise.all(sent)
    expect(answers.at(-1)?.statusCode).toBe(202)
    expect((await api.post(CLAIM, {}, 'a')).headers['idempotency-replayed']).toBe('true')
    expect(api.fake.begun).toHaveLength(1)
  })

  test('is free again after a failure that invites a retry', async () => {
    api.fake.onBegin.run = async () => {
      throw new TypeError('no luck')
    }
    expect((await api.post(CLAIM, {}, 'a')).statusCode).toBe(500)
    api.fake.onBegin.run = async () => undefined
    expect((await api.post(CLAIM, {}, 'a')).statusCode).toBe(202)
  })

  test('is known after a restart, for a day', async () => {
    const first = await api.post(CLAIM, {}, 'a')
    await api.stop()
    api = await startApi(dir)
    const again = await api.post(CLAIM, {}, 'a')
    expect([again.statusCode, again.body, again.headers.location]).toEqual([
      202,
      first.body,
      '/v1/actions/a-1',
    ])
    expect((await api.post(CLAIM, { force: true }, 'a')).json().code).toBe('API_IDEMPOTENCY_KEY_REUSED')
    expect(api.fake.begun).toEqual([])
    await api.clock.advance(86_400_000)
    expect((await api.post(CLAIM, { force: true }, 'a')).statusCode).toBe(202)
  })

  test('finds the action of a process that died before it answered', async () => {
    const failing = { get: () => undefined, set: () => Promise.reject(new TypeError('killed')) }
    const broken = await createTestApp(() => failing)
    const send = (app: typeof broken.app) =>
      app.inject({
        method: 'POST',
        url: CLAIM,
        payload: {},
        headers: { ...bearer(OPERATE_TOKEN), 'idempotency-key': 'a' },
      })
    expect((await send(broken.app)).statusCode).toBe(500)
    failing.set = () => Promise.resolve() as never
    const again = await send(broken.app)
    expect([again.statusCode, again.json().id]).toEqual([202, 'a-1'])
    expect(broken.fake.begun).toHaveLength(1)
    await broken.app.close()
  })

  test('is kept as a hash only', async () => {
    await api.post(CLAIM, {}, 'a-key-that-must-not-be-readable')
    const database = await openDatabase(dir.file('node.db'))
    const rows = await database.db.apiAnswer.findMany()
    await database.close()
    expect(
      JSON.stringify(rows, (_, value) => (typeof value === 'bigint' ? Number(value) : value)),
    ).not.toContain('must-not-be-readable')
    expect(rows).toHaveLength(1)
  })
})

describe('a proposal', () => {
  test('is rejected once, with the reason', async () => {
    const url = '/v1/payments/redemptions/r-1/reject'
    const rejected = await api.post(url, { reason: 'later' }, 'a')
    expect(rejected.json()).toMatchObject({ state: 'rejected', reason: { text: 'later' } })
    expect((await api.post(url, { reason: 'later' }, 'a')).body).toBe(rejected.body)
    expect((await api.post('/v1/payments/redemptions/r-9/reject', {}, 'b')).statusCode).toBe(404)
  })
})
