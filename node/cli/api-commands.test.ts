import { spawnSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PostriderError } from '@postrider/protocol/errors'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { fakeChannel, POST } from '../api/testing/fake-views.ts'
import { OPERATE_TOKEN, READ_TOKEN, startTestApi } from '../api/testing/harness.ts'
import { tokenFilePath } from '../api/tokens.ts'
import { eventually } from '../core/testing/eventually.ts'
import { createTempDir, type TempDir } from '../core/testing/temp-dir.ts'
import { noteRunning } from './session.ts'
import { runHere, runJson } from './testing/in-process.ts'

let api: Awaited<ReturnType<typeof startTestApi>>
let dir: TempDir
beforeEach(async () => {
  api = await startTestApi()
  dir = await createTempDir()
  await writeFile(dir.file('config.json'), JSON.stringify({ api: { port: 0 } }))
  await noteRunning(dir.path, api.api.url())
  await writeToken(OPERATE_TOKEN, ['read', 'operate'])
})
afterEach(async () => {
  await api.api.stop()
  await dir.remove()
})

const writeToken = (token: string, scopes: string[]) =>
  writeFile(
    tokenFilePath(dir.path),
    JSON.stringify({ version: 1, tokens: [{ name: 'test', scopes, token }] }),
    {
      mode: 0o600,
    },
  )
const json = (...args: string[]) => runJson([...args, '--data-dir', dir.path, '--yes'])
const text = (...args: string[]) => runHere([...args, '--data-dir', dir.path])
const post = (amount: bigint) => ({ amount: amount.toString(), unit: 'POST', decimals: 18 })

describe('status', () => {
  test('shows everything, and what it cannot know as unknown with the reason', async () => {
    const { code, data } = await json('status')
    expect(code).toBe(0)
    expect(data.node.peerId).toBe('12D3KooW')
    expect(data.rewards.total.earned).toEqual(post(3n * POST))
    expect(data.rln.budget.remaining).toBe(96)
    expect(data.slashing).toHaveLength(1)
    expect(data.chain).toEqual({ unknown: expect.stringContaining('RPC') })
  })

  test('reads well for people', async () => {
    const { code, stdout } = await text('status')
    expect(code).toBe(0)
    for (const part of [
      'Node 0.1.0 on devnet',
      '96 of 100, 4 used',
      '3 POST',
      '0.01 POST served and not paid',
      '1 to approve',
      'unknown: No RPC endpoint answers',
    ]) {
      expect(stdout).toContain(part)
    }
  })

  test('foreign text is harmless', async () => {
    Object.assign(api.fake.subsystems[0]!, { state: 'down', reason: '\u001b[2Jowned\u0007' })
    const { stdout } = await text('status')
    expect(stdout).toContain('owned')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: looking for them is the point
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/)
  })
})

describe('channels and rewards', () => {
  test('list every page, filter, show one', async () => {
    for (let n = 4; n <= 250; n++) api.fake.channels.push(fakeChannel(n))
    expect((await json('channel', 'list')).data.channels).toHaveLength(250)
    expect((await json('channel', 'list', '--state', 'closing')).data.channels).toHaveLength(1)
    expect((await text('channel', 'list')).stdout).toMatch(/closing until \d{4}-\d\d-\d\d/)
    const id = fakeChannel(1).id
    expect((await json('channel', 'show', id)).data).toMatchObject({ id, deposit: post(10n * POST) })
    expect((await text('channel', 'show', id)).stdout).toContain('1.000000000000000001 POST')
    const missing = await json('channel', 'show', `0x${'f'.repeat(64)}`)
    expect([missing.code, missing.data.error.code]).toEqual([2, 'API_NOT_FOUND'])
  })

  test('a channel is named by its id, its beginning, or what the list shows of it', async () => {
    const { id } = fakeChannel(1)
    api.fake.channels.push(fakeChannel(4, { id: `0xabcdef12${'0'.repeat(56)}` }))
    const show = async (text: string) => (await json('channel', 'show', text)).data
    expect((await show('0xABCDEF12')).id).toBe(api.fake.channels[3]!.id)
    expect((await show('0xabcdef…000000')).id).toBe(api.fake.channels[3]!.id)
    expect((await show(id.toUpperCase().replace('0X', '0x'))).id).toBe(id)
    expect((await show('0x00000000')).error).toMatchObject({
      code: 'CLI_CHANNEL_ID_INVALID',
      message: expect.stringContaining('3 channels have'),
    })
    expect((await show('0x99999999')).error.message).toContain('0 channels have')
    for (const bad of ['../node', '0x12', 'abcdef12']) {
      expect((await show(bad)).error).toMatchObject({ code: 'CLI_CHANNEL_ID_INVALID', exitCode: 2 })
    }
  })

  test('claim-all says what it would do, then claims once and follows it to its end', async () => {
    const dry = await json('rewards', 'claim-all', '--dry-run')
    expect([dry.code, dry.data.wouldSend, dry.data.fee.unit]).toEqual([0, true, 'ETH'])
    expect(api.fake.begun).toEqual([])
    const claiming = json('rewards', 'claim-all', '--force')
    await eventually(() => expect(api.fake.begun).toHaveLength(1))
    Object.assign(api.fake.actions[0]!, { state: 'done' })
    const { code, data } = await claiming
    expect([code, data.id, data.state]).toEqual([0, 'a-1', 'done'])
    expect(api.fake.begun).toEqual([{ kind: 'rewards.claim', force: true }])
  })

  test('an action that ends badly is no success', async () => {
    const reason = { code: 'CHAIN_REVERTED', text: 'Paused' }
    const closing = json('channel', 'close', fakeChannel(1).id)
    await eventually(() => expect(api.fake.begun).toHaveLength(1))
    Object.assign(api.fake.actions[0]!, { state: 'failed', reason })
    const { code, data } = await closing
    expect([code, data.reason]).toEqual([4, reason])
    expect((await json('action', 'show', 'a-1')).code).toBe(4)
    expect((await text('action')).stdout).toContain('Paused')
  })

  test('close --all goes on until the node would close no more, and once per channel', async () => {
    const [first, second] = [1, 2].map((n) => ({ channels: [{ id: fakeChannel(n).id, amount: POST }] }))
    const over = { wouldSend: false, steps: [], channels: [] }
    api.fake.onPlan.changes = { ...first }
    const closing = json('channel', 'close', '--all')
    await eventually(() => expect(api.fake.begun).toHaveLength(1))
    Object.assign(api.fake.actions[0]!, { state: 'done' })
    // The node has not seen the end of the first one yet: it is not closed again.
    const asked = vi.spyOn(api.fake.views.actions, 'plan')
    await eventually(() => expect(asked).toHaveBeenCalledTimes(2))
    expect(api.fake.begun).toHaveLength(1)
    api.fake.onPlan.changes = { ...second }
    await eventually(() => expect(api.fake.begun).toHaveLength(2))
    const check = { name: 'left out', state: 'warning' as const, reason: '1 channel', fix: 'later' }
    api.fake.onPlan.changes = { ...over, checks: [check] }
    Object.assign(api.fake.actions[0]!, { state: 'done' })
    const { code, data } = await closing
    expect([code, data.id, data.state]).toEqual([0, 'a-2', 'done'])
    expect(api.fake.begun).toEqual(Array(2).fill({ kind: 'channel.close', channelId: null }))
    const nothing = await json('channel', 'close', '--all')
    expect([nothing.code, nothing.data.wouldSend, api.fake.begun.length]).toEqual([0, false, 2])
  })

  test('close needs a channel, or --all', async () => {
    for (const args of [[], [fakeChannel(1).id, '--all']]) {
      const { code, data } = await json('channel', 'close', ...args)
      expect([code, data.error.code]).toEqual([2, 'CLI_USAGE'])
    }
    const dry = await json('channel', 'close', '--all', '--dry-run')
    expect([dry.code, dry.data.kind, api.fake.begun]).toEqual([0, 'channel.close', []])
  })

  test('close --all ends with what failed', async () => {
    const closing = json('channel', 'close', '--all')
    await eventually(() => expect(api.fake.begun).toHaveLength(1))
    Object.assign(api.fake.actions[0]!, { state: 'failed' })
    expect((await closing).code).toBe(4)
    expect(api.fake.begun).toHaveLength(1)
  })

  test('--no-wait returns with the way to follow it', async () => {
    const { code, stdout, stderr } = await text('channel', 'settle', fakeChannel(1).id, '--no-wait', '--yes')
    expect(code).toBe(0)
    expect(stdout).toContain('postrider action show a-1')
    for (const part of ['Checks', 'Fee', 'in 1 transaction\n', 'Effect']) expect(stderr).toContain(part)
    expect((await json('action', 'show', 'a-1', '--no-wait')).data).toMatchObject({ state: 'sent' })
    expect((await json('action')).data.actions).toHaveLength(1)
  })

  test('progress is told while it waits', async () => {
    const claiming = text('rewards', 'claim-all', '--yes')
    await eventually(() => expect(api.fake.actions).toHaveLength(1))
    const [shown] = api.fake.actions
    Object.assign(shown!, {
      state: 'done',
      transactions: [{ ...shown!.transactions[0]!, state: 'done', block: 7n }],
    })
    const { stderr, stdout } = await claiming
    expect(stderr).toContain('in block 7')
    expect(stderr).toContain('more can be claimed')
    expect(stdout).toContain('done')
  })

  test('without a yes nothing is sent', async () => {
    const { code, stderr } = await text('rewards', 'claim-all')
    expect(code).toBe(3)
    expect(stderr).toContain('CLI_NOT_CONFIRMED')
    expect(api.fake.begun).toEqual([])
  })

  test('a failed check stops it, dry or not, with its fix', async () => {
    const check = { name: 'channel', state: 'failed' as const, reason: 'closed already', fix: 'channel list' }
    api.fake.onPlan.changes = { wouldSend: false, checks: [check] }
    const dry = await text('channel', 'close', fakeChannel(1).id, '--dry-run')
    expect([dry.code, dry.stdout]).toEqual([3, expect.stringContaining('→ channel list')])
    const { code, data } = await json('channel', 'close', fakeChannel(1).id)
    expect([code, data.error.code, data.error.data.checks]).toEqual([3, 'CLI_REFUSED', [check]])
    expect(api.fake.begun).toEqual([])
  })

  test('with nothing to do it says why, and that is a success', async () => {
    const reason = { code: 'PAYMENT_CLAIM_TOO_SMALL', text: 'not worth its gas' }
    api.fake.onPlan.changes = { wouldSend: false, steps: [], checks: [], reason }
    const { code, stdout } = await text('rewards', 'claim-all')
    expect([code, stdout]).toEqual([0, expect.stringContaining('not worth its gas')])
  })

  test("the node's refusal keeps its code and its exit code", async () => {
    api.fake.onBegin.run = async () => {
      throw new PostriderError('CHAIN_INSUFFICIENT_GAS_MONEY', { detail: '0xabc' })
    }
    const { code, data } = await json('rewards', 'claim-all')
    expect([code, data.error.code]).toEqual([4, 'CHAIN_INSUFFICIENT_GAS_MONEY'])
  })

  test('the queue, an approval and a rejection', async () => {
    expect((await json('rewards', 'queue')).data.redemptions[0]).toMatchObject({
      id: 'r-1',
      state: 'proposed',
    })
    expect((await json('rewards', 'approve', 'r-1', '--dry-run')).data.wouldSend).toBe(true)
    expect((await json('rewards', 'approve', 'r-1', '--no-wait')).data.state).toBe('sent')
    expect(api.fake.begun).toEqual([{ kind: 'rewards.claim', redemption: 'r-1' }])
    expect((await json('rewards', 'approve', 'r-7')).code).toBe(2)
    expect((await json('rewards', 'reject', 'r-1', '--reason', 'later')).data.reason.text).toBe('later')
    expect((await text('rewards')).stdout).toContain('held back')
  })
})

describe('slash', () => {
  test('list and show, with the evidence as a file', async () => {
    expect((await json('slash')).data.cases[0]).toMatchObject({ id: 'case-1', reward: post(2n * POST) })
    const file = dir.file('breach.bin')
    expect((await json('slash', 'show', 'case-1', '--evidence', file)).code).toBe(0)
    expect(await readFile(file)).toEqual(Buffer.of(1, 2, 3))
  })
})

describe('when the node does not answer', () => {
  test('it does not run', async () => {
    await api.api.stop()
    const { code, data } = await json('status')
    expect([code, data.error.code]).toEqual([5, 'CLI_NODE_UNREACHABLE'])
  })

  test('the note of a node that was killed is not believed', async () => {
    const { pid } = spawnSync(process.execPath, ['--version'])
    await writeFile(join(dir.path, 'running.json'), JSON.stringify({ apiUrl: api.api.url(), pid }))
    const { code, data } = await json('status')
    expect([code, data.error.code]).toEqual([5, 'CLI_NODE_UNREACHABLE'])
  })

  test('another program answers on its port', async () => {
    const { createServer } = await import('node:http')
    const server = createServer((_request, response) => response.end('<html>hello</html>'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { port: number }
    const { code, data } = await json('status', '--api-url', `http://127.0.0.1:${port}`)
    server.closeAllConnections()
    server.close()
    expect([code, data.error.code]).toEqual([5, 'CLI_API_ANSWER_INVALID'])
  })

  test('the token is wrong, missing, or may not act', async () => {
    await writeToken('ptr_not-the-token-of-this-node', ['read', 'operate'])
    expect((await json('status')).data.error).toMatchObject({ code: 'API_UNAUTHORIZED', exitCode: 6 })
    await writeToken(READ_TOKEN, ['read', 'operate'])
    expect((await json('rewards', 'claim-all')).data.error).toMatchObject({
      code: 'API_FORBIDDEN',
      exitCode: 6,
    })
    await writeFile(join(dir.path, 'api-tokens.json'), '{}')
    expect((await json('status')).data.error).toMatchObject({ code: 'API_TOKEN_FILE_INVALID', exitCode: 6 })
  })

  test('doctor reports what the running node says of itself', async () => {
    Object.assign(api.fake.subsystems[0]!, {
      state: 'down',
      reason: 'no endpoint answers',
      fix: 'check rpcUrls',
    })
    const { code, data } = await json('doctor')
    expect(code).toBe(3)
    const find = (name: string) => data.checks.find((check: { name: string }) => check.name === name)
    expect(find('running node').reason).toContain('not-ready')
    expect(find('node: chain')).toMatchObject({ state: 'failed', fix: 'check rpcUrls' })
    expect(find('ports').state).toBe('ok')
  })
})
