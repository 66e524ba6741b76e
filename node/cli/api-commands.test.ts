import { spawnSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PostriderError } from '@postrider/protocol/errors'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fakeChannel, POST } from '../api/testing/fake-views.ts'
import { OPERATE_TOKEN, READ_TOKEN, startTestApi } from '../api/testing/harness.ts'
import { tokenFilePath } from '../api/tokens.ts'
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
    for (const part of ['Node 0.1.0 on devnet', '96 of 100', '3 POST', 'unknown: No RPC endpoint answers']) {
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
    const id = fakeChannel(1).id
    expect((await json('channel', 'show', id)).data).toMatchObject({ id, deposit: post(10n * POST) })
    expect((await text('channel', 'show', id)).stdout).toContain('1.000000000000000001 POST')
    const missing = await json('channel', 'show', `0x${'f'.repeat(64)}`)
    expect([missing.code, missing.data.error.code]).toEqual([2, 'API_NOT_FOUND'])
    expect((await json('channel', 'show', '../node')).data.error.code).toBe('API_REQUEST_INVALID')
  })

  test('claim-all simulates, then claims once', async () => {
    const dry = await json('rewards', 'claim-all', '--dry-run')
    expect([dry.code, dry.data.state]).toEqual([0, 'simulated'])
    const { code, data } = await json('rewards', 'claim-all', '--force')
    expect([code, data.state]).toEqual([0, 'sent'])
    expect(api.fake.redeemed.map(({ dryRun, force }) => [dryRun, force])).toEqual([
      [true, false],
      [true, true],
      [false, true],
    ])
  })

  test('claim-all without a yes sends nothing', async () => {
    const { code, stderr } = await text('rewards', 'claim-all')
    expect(code).toBe(3)
    expect(stderr).toContain('CLI_NOT_CONFIRMED')
    expect(api.fake.redeemed.map(({ dryRun }) => dryRun)).toEqual([true])
  })

  test("the node's refusal keeps its code and its exit code", async () => {
    api.fake.onRedeem.run = async () => {
      throw new PostriderError('CHAIN_INSUFFICIENT_GAS_MONEY', { detail: '0xabc' })
    }
    const { code, data } = await json('rewards', 'claim-all')
    expect([code, data.error.code]).toEqual([4, 'CHAIN_INSUFFICIENT_GAS_MONEY'])
  })

  test('the queue and an approval', async () => {
    expect((await json('rewards', 'queue')).data.redemptions[0]).toMatchObject({
      id: 'r-1',
      state: 'proposed',
    })
    expect((await json('rewards', 'approve', 'r-1')).data.state).toBe('approved')
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
