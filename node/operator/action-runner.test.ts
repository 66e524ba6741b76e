import { PostriderError } from '@postrider/protocol/errors'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { TransactionIntent } from '../chain/transaction-runner.ts'
import { createMemoryTransactionStore, type StoredTransaction } from '../chain/transaction-store.ts'
import { type Database, openDatabase } from '../core/db/index.ts'
import { silentLogger } from '../core/logger.ts'
import { createMetrics } from '../core/metrics.ts'
import { createManualClock } from '../core/testing/manual-clock.ts'
import { createSeededRandom } from '../core/testing/seeded-random.ts'
import { createTempDir, type TempDir } from '../core/testing/temp-dir.ts'
import { createActionRunner } from './action-runner.ts'
import { createActionStore } from './action-store.ts'
import { RESUME_WITHIN_MS } from './constants.ts'

const step = (label: string) => ({ label, call: { kind: label, to: '0x01', data: '0x02' } as const })
const EXIT = { steps: [step('announce the exit')], effects: ['clients stop choosing this node'] }
const ADD = { steps: [step('approve'), step('add')], effects: [] }

let dir: TempDir
let database: Database
beforeEach(async () => {
  dir = await createTempDir()
  database = await openDatabase(dir.file('node.db'))
})
afterEach(async () => {
  await database.close()
  await dir.remove()
})

/** A chain that mines when told; what was sent outlives the processes of a test. */
function createChain() {
  const transactions = createMemoryTransactionStore()
  const waiting = new Map<string, PromiseWithResolvers<never>>()
  const sent: string[] = []
  let arrived = Promise.withResolvers<void>()
  const sender = {
    async submit(intent: TransactionIntent) {
      if ((await transactions.get(intent.key))?.status === 'done') return undefined as never
      sent.push(`${intent.kind} ${intent.key}`)
      const waiter = Promise.withResolvers<never>()
      waiting.set(intent.key, waiter)
      arrived.resolve()
      return waiter.promise
    },
  }
  /** Waits until something is submitted, and gives its key. */
  const submitted = async (): Promise<string> => {
    await arrived.promise
    arrived = Promise.withResolvers()
    return [...waiting.keys()].at(-1) as string
  }
  const put = (key: string) =>
    transactions.put({
      key,
      status: 'sent',
      attempts: [] as StoredTransaction['attempts'],
    } as StoredTransaction)
  const mine = async (key: string) => {
    await put(key)
    await transactions.end(key, { status: 'done' })
    waiting.get(key)?.resolve(undefined as never)
  }
  const fail = (key: string, error: unknown) => waiting.get(key)?.reject(error)
  return { transactions, sender, sent, submitted, put, mine, fail }
}

type Chain = ReturnType<typeof createChain>

/** A process of the node; `ended` resolves with the next action that ends. */
function createProcess(
  { transactions, sender }: Chain,
  clock = createManualClock(1_700_000_000_000),
  seed = 'one',
) {
  const store = createActionStore(database.db)
  const runner = createActionRunner({
    store,
    sender,
    transactions,
    clock,
    random: createSeededRandom(seed),
    logger: silentLogger,
    metrics: createMetrics(),
  })
  let next = Promise.withResolvers<string>()
  runner.subscribe(async (id) => {
    const { state = 'accepted' } = (await runner.get(id)) ?? {}
    if (state !== 'accepted') next.resolve(id)
  })
  const ended = async () => {
    const id = await next.promise
    next = Promise.withResolvers()
    return runner.get(id)
  }
  return { runner, clock, ended }
}

describe('an action', () => {
  it('is on disk before anything is sent, and ends with its transaction', async () => {
    const chain = createChain()
    const { runner, ended } = createProcess(chain)
    const begun = await runner.begin('request', 'stake.exit', EXIT)
    expect(begun).toMatchObject({ state: 'accepted', kind: 'stake.exit', effects: EXIT.effects })
    expect(await runner.get(begun.id)).toEqual(begun)
    const key = await chain.submitted()
    expect(key).toBe(`${begun.id}/0`)
    await chain.mine(key)
    expect(await ended()).toMatchObject({ id: begun.id, state: 'done', failure: undefined })
    await runner.stop()
  })

  it('of one request is begun once', async () => {
    const chain = createChain()
    const { runner, ended } = createProcess(chain)
    const begun = await runner.begin('request', 'stake.exit', EXIT)
    await chain.mine(await chain.submitted())
    await ended()
    expect(await runner.begin('request', 'stake.exit', EXIT)).toMatchObject({ id: begun.id, state: 'done' })
    expect(await runner.find('request')).toMatchObject({ id: begun.id })
    expect(chain.sent).toHaveLength(1)
    await runner.stop()
  })

  it('sends its steps in order, each after the one before is mined', async () => {
    const chain = createChain()
    const { runner, ended } = createProcess(chain)
    const { id } = await runner.begin('request', 'stake.add', ADD)
    await chain.mine(await chain.submitted())
    await chain.mine(await chain.submitted())
    expect(await ended()).toMatchObject({ state: 'done' })
    expect(chain.sent).toEqual([`approve ${id}/0`, `add ${id}/1`])
    await runner.stop()
  })

  it('waits for those before it: an approval is not used up by another action', async () => {
    const chain = createChain()
    const { runner, ended } = createProcess(chain)
    const first = await runner.begin('one', 'stake.add', ADD)
    const second = await runner.begin('two', 'stake.add', ADD)
    for (const step of [0, 1]) {
      const key = await chain.submitted()
      expect(key).toBe(`${first.id}/${step}`)
      await chain.mine(key)
    }
    expect(await ended()).toMatchObject({ id: first.id, state: 'done' })
    expect(await chain.submitted()).toBe(`${second.id}/0`)
    expect(chain.sent).toHaveLength(3)
    await runner.stop()
  })

  it('that waits is not sent by a process that stops', async () => {
    const chain = createChain()
    const { runner } = createProcess(chain)
    for (const request of ['one', 'two']) await runner.begin(request, 'stake.exit', EXIT)
    await chain.submitted()
    await runner.stop()
    expect(chain.sent).toHaveLength(1)
    expect((await runner.page({ limit: 2 })).map(({ state }) => state)).toEqual(['accepted', 'accepted'])
  })

  it('ends at the first step that is refused, with the reason', async () => {
    const chain = createChain()
    const { runner, ended } = createProcess(chain)
    await runner.begin('request', 'stake.add', ADD)
    chain.fail(await chain.submitted(), new PostriderError('CHAIN_REVERTED', { detail: 'Exiting' }))
    expect(await ended()).toMatchObject({
      state: 'failed',
      failure: { code: 'CHAIN_REVERTED', text: expect.stringContaining('Exiting') },
    })
    expect(chain.sent).toHaveLength(1)
    await runner.stop()
  })

  it('is sent anew when another transaction took its nonce, a few times', async () => {
    const chain = createChain()
    const { runner, ended } = createProcess(chain)
    await runner.begin('request', 'stake.exit', EXIT)
    const replaced = new PostriderError('CHAIN_TRANSACTION_REPLACED')
    for (let times = 0; times < 3; times++) chain.fail(await chain.submitted(), replaced)
    expect(await ended()).toMatchObject({ failure: { code: 'CHAIN_TRANSACTION_REPLACED' } })
    expect(new Set(chain.sent).size).toBe(1)
    expect(chain.sent).toHaveLength(3)
    await runner.stop()
  })

  it('is done when its transaction is, whatever the call says', async () => {
    const chain = createChain()
    const { runner, ended } = createProcess(chain)
    await runner.begin('request', 'stake.exit', EXIT)
    const key = await chain.submitted()
    await chain.put(key)
    await chain.transactions.end(key, { status: 'done' })
    chain.fail(key, new PostriderError('CHAIN_RPC_FAILED'))
    expect(await ended()).toMatchObject({ state: 'done' })
    await runner.stop()
  })
})

describe('after a restart', () => {
  it('goes on at the step where it was, and sends nothing twice', async () => {
    const chain = createChain()
    const first = createProcess(chain)
    const { id } = await first.runner.begin('request', 'stake.add', ADD)
    await chain.mine(await chain.submitted())
    await chain.submitted()
    await first.runner.stop()
    expect(await first.runner.get(id)).toMatchObject({ state: 'accepted' })

    const second = createProcess(chain)
    await second.runner.start()
    await chain.mine(await chain.submitted())
    expect(await second.ended()).toMatchObject({ id, state: 'done' })
    expect(chain.sent).toEqual([`approve ${id}/0`, `add ${id}/1`, `add ${id}/1`])
    await second.runner.stop()
  })

  it.each([
    [RESUME_WITHIN_MS, 'sent', 1],
    [RESUME_WITHIN_MS + 1, 'given up', 0],
  ])('%i ms later, what was never sent is %s', async (ms, _what, sends) => {
    const chain = createChain()
    const clock = createManualClock(1_700_000_000_000)
    const store = createActionStore(database.db)
    const nowMs = clock.nowMs()
    const record = { ...EXIT, id: 'a1', request: 'r', kind: 'stake.exit', state: 'accepted' as const }
    await store.create({ ...record, failure: undefined, createdMs: nowMs, updatedMs: nowMs })
    await clock.advance(ms)
    const { runner, ended } = createProcess(chain, clock)
    await runner.start()
    if (sends > 0) await chain.mine(await chain.submitted())
    const failure = sends > 0 ? undefined : { code: 'API_ACTION_EXPIRED' }
    const end = await ended()
    expect(end?.state).toBe(sends > 0 ? 'done' : 'failed')
    if (failure) expect(end).toMatchObject({ failure })
    expect(chain.sent).toHaveLength(sends)
    await runner.stop()
  })

  it('what was sent is followed to its end, however long ago', async () => {
    const chain = createChain()
    const first = createProcess(chain)
    await first.runner.begin('request', 'stake.exit', EXIT)
    await chain.put(await chain.submitted())
    await first.runner.stop()
    await first.clock.advance(10 * RESUME_WITHIN_MS)
    const second = createProcess(chain, first.clock)
    await second.runner.start()
    const key = await chain.submitted()
    chain.fail(key, new PostriderError('CHAIN_REVERTED', { detail: 'Exiting' }))
    expect(await second.ended()).toMatchObject({ failure: { code: 'CHAIN_REVERTED' } })
    await second.runner.stop()
  })
})

describe('the list', () => {
  it('has the newest first, in pages', async () => {
    const chain = createChain()
    const { runner, clock } = createProcess(chain)
    const ids: string[] = []
    for (let at = 0; at < 5; at++) {
      ids.unshift((await runner.begin(`request ${at}`, 'stake.exit', EXIT)).id)
      await clock.advance(1)
    }
    const first = await runner.page({ limit: 3 })
    const second = await runner.page({ limit: 3, before: first.at(-1)!.id })
    expect([...first, ...second].map(({ id }) => id)).toEqual(ids)
    await runner.stop()
  })
})
