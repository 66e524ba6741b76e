import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTempDir, type TempDir } from '../core/testing/temp-dir.ts'
import { runHere, runJson } from './testing/in-process.ts'
import { freePort, type LocalChain, startLocalChain } from './testing/local-chain.ts'
import { runPostrider } from './testing/process.ts'

const POST = 10n ** 18n
const COLD = '0xC0C0c0c0C0C0c0c0c0C0c0C0C0C0C0C0C0C0c0c0'

let dir: TempDir
let chain: LocalChain
beforeAll(async () => {
  dir = await createTempDir()
  await writeFile(dir.file('password'), 'correct horse battery', { mode: 0o600 })
  chain = await startLocalChain(dir.path)
})
afterAll(async () => {
  await chain[Symbol.asyncDispose]()
  await dir.remove()
})

type Named = { name: string; state: string; reason: string; fix: string | null }
const named = (checks: Named[], name: string) => checks.find((check) => check.name === name)
const amount = (value: bigint) => ({ amount: value.toString(), unit: 'POST', decimals: 18 })

/** A new node's folder, with funds. */
async function createNode(name: string, funds: { ether?: bigint; tokens?: bigint }) {
  const dataDir = dir.file(name)
  const port = await freePort()
  const where = ['--data-dir', dataDir]
  const { data } = await runJson([
    ...['init', ...where, '--network', chain.networkFile, '--kdf', 'light'],
    ...['--password-file', dir.file('password'), '--api-port', '0', '--listen', `/ip4/127.0.0.1/tcp/${port}`],
  ])
  await chain.fund(data.address, funds)
  const run = (...args: string[]) => runJson([...args, ...where, '--yes'])
  const talk = (...args: string[]) => runHere([...args, ...where, '--no-input'])
  return { dataDir, account: data.address as string, peerId: data.peerId as string, run, talk }
}

describe('doctor', () => {
  test('follows a node from empty to ready', async () => {
    const node = await createNode('patient', {})
    const sick = await node.run('doctor')
    expect(sick.code).toBe(3)
    expect(named(sick.data.checks, 'chain')?.state).toBe('ok')
    expect(named(sick.data.checks, 'funds')).toMatchObject({
      state: 'failed',
      fix: `send ETH to ${node.account}`,
    })
    expect(named(sick.data.checks, 'stake')?.state).toBe('failed')
    expect(named(sick.data.checks, 'RLN membership')?.state).toBe('warning')

    await chain.fund(node.account as `0x${string}`, { ether: POST, tokens: 2000n * POST })
    await node.run('stake', 'register', '1000POST', '--withdrawal', COLD)
    await node.run('rln', 'register', '20', '--kdf', 'light')
    const well = await node.run('doctor')
    expect(well.data.checks.filter(({ state }: Named) => state === 'failed')).toEqual([])
    expect([well.code, well.data.healthy]).toEqual([0, true])
  })

  test('tells a chain that is away, and one that is another', async () => {
    const node = await createNode('elsewhere', {})
    const file = join(node.dataDir, 'network.json')
    const network = JSON.parse(await readFile(file, 'utf8'))
    await writeFile(file, JSON.stringify({ ...network, chainId: 1 }))
    const other = await node.run('doctor')
    expect(named(other.data.checks, 'chain')).toMatchObject({ state: 'failed' })
    await writeFile(file, JSON.stringify({ ...network, rpcUrls: ['http://127.0.0.1:1'] }))
    const away = await node.run('doctor')
    expect(named(away.data.checks, 'chain')).toMatchObject({ state: 'failed' })
    const { code, data } = await node.run('stake', 'status')
    expect([code, data.error.code]).toEqual([4, 'CHAIN_UNREACHABLE'])
  })
})

describe('stake', () => {
  test('from nothing to registered, added to, left and paid to the cold address', async () => {
    const node = await createNode('life', { ether: POST, tokens: 3000n * POST })

    const poor = await node.run('stake', 'register', '10POST', '--withdrawal', COLD)
    expect([poor.code, poor.data.error.code]).toEqual([3, 'CLI_REFUSED'])
    expect(named(poor.data.error.data.checks, 'minimum')?.state).toBe('failed')

    const dry = await node.run('stake', 'register', '1_000POST', '--withdrawal', COLD, '--dry-run')
    expect([dry.code, dry.data.wouldSend, dry.data.steps.length]).toEqual([0, true, 2])
    expect(dry.data.effects.join()).toContain(COLD)
    expect((await node.run('stake', 'status')).data.state).toBe('none')

    const done = await node.run('stake', 'register', '1_000POST', '--withdrawal', COLD)
    expect([done.code, done.data.done, done.data.transactions.length]).toEqual([0, true, 2])
    const status = await node.run('stake')
    expect(status.data).toMatchObject({
      state: 'active',
      staked: amount(1000n * POST),
      spendable: amount(2000n * POST),
      withdrawal: COLD,
      peerId: node.peerId,
    })

    const twice = await node.run('stake', 'register', '1000POST', '--withdrawal', COLD)
    expect([twice.code, twice.data.error.code]).toEqual([3, 'CLI_REFUSED'])
    expect((await node.run('stake', 'add', 'all')).code).toBe(0)
    expect((await node.run('stake')).data).toMatchObject({
      staked: amount(3000n * POST),
      spendable: amount(0n),
    })
    expect((await node.run('stake', 'add', '1')).data.error.code).toBe('CLI_REFUSED')

    const early = await node.run('stake', 'withdraw')
    expect(named(early.data.error.data.checks, 'unbonding')?.fix).toBe('postrider stake exit')
    expect((await node.run('stake', 'exit')).code).toBe(0)
    expect((await node.run('stake')).data.state).toBe('exiting')
    const unbonding = await node.run('withdraw', '--dry-run')
    expect([unbonding.code, unbonding.data.wouldSend]).toEqual([0, false])
    expect(named(unbonding.data.checks, 'stake')?.reason).toContain('over at')

    await chain.pass(11)
    const free = await node.run('withdraw')
    expect(free.data).toMatchObject({ done: true, total: amount(3000n * POST) })
    expect((await node.run('stake')).data.state).toBe('none')
    const again = await node.run('withdraw')
    expect([again.code, again.data.done]).toEqual([0, false])
  })

  test('a refused simulation is a refusal, not a sent transaction', async () => {
    const node = await createNode('no-gas', { tokens: 1000n * POST })
    const { code, data } = await node.run('stake', 'register', 'all', '--withdrawal', COLD)
    expect([code, data.error.code]).toEqual([3, 'CLI_REFUSED'])
    expect(data.error.message).toMatch(/gas|fund/i)
  })

  test('nobody to ask means nothing is sent', async () => {
    const node = await createNode('silent', { ether: POST, tokens: 1000n * POST })
    const { code, stdout, stderr } = await node.talk('stake', 'register', 'all', '--withdrawal', COLD)
    expect([code, stdout]).toEqual([3, ''])
    expect(stderr).toContain('Effect')
    expect(stderr).toContain('CLI_NOT_CONFIRMED')
    expect((await node.run('stake')).data.state).toBe('none')
  })

  test('a transaction is followed to its end though nobody reads the outcome', async () => {
    const node = await createNode('unheard', { ether: POST, tokens: 1000n * POST })
    const args = ['stake', 'register', 'all', '--withdrawal', COLD, '--yes', '--data-dir', node.dataDir]
    expect(await runPostrider(args, { closeStdout: true })).toMatchObject({ code: 141 })
    expect((await node.run('stake')).data.state).toBe('active')
  })

  test.each([
    [['register', '1.5', '--withdrawal', COLD], 'CLI_AMOUNT_INVALID'],
    [['register', '0', '--withdrawal', COLD], 'CLI_AMOUNT_INVALID'],
    [['register', '1000POST', '--withdrawal', 'my-wallet'], 'CLI_ADDRESS_INVALID'],
    [['register', '1000POST', '--withdrawal', COLD.replace('0xC0C0', '0xC0c0')], 'CLI_ADDRESS_INVALID'],
    [['register', '1000POST', '--withdrawal', `0x${'0'.repeat(40)}`], 'CLI_ADDRESS_INVALID'],
  ])('%j is a mistake of usage', async (args, code) => {
    const node = await createNode(
      `usage-${args.join('-').slice(0, 20).replaceAll(/\W/g, '')}-${args.at(-1)?.slice(0, 4)}`,
      {},
    )
    const refused = await node.run('stake', ...args)
    expect([refused.code, refused.data.error.code]).toEqual([2, code])
  })

  test('what an earlier command sent and is not mined yet is told before the next one', async () => {
    const node = await createNode('waiting', { ether: POST, tokens: 1010n * POST })
    await node.run('stake', 'register', '1000POST', '--withdrawal', COLD)
    const plan = () => node.run('stake', 'add', '5POST', '--dry-run')
    expect(named((await plan()).data.checks, 'waiting')).toBeUndefined()
    await chain.setAutomine(false)
    const adding = node.run('stake', 'add', '5POST')
    await expect
      .poll(async () => named((await plan()).data.checks, 'waiting'), { timeout: 20_000 })
      .toMatchObject({ state: 'warning', reason: '1 transaction of this account is sent and not mined yet' })
    await chain.setAutomine(true)
    expect((await adding).code).toBe(0)
    expect((await node.run('stake')).data.staked).toEqual(amount(1005n * POST))
  })

  test('all of nothing is refused by a check', async () => {
    const node = await createNode('empty', { ether: POST })
    const { code, data } = await node.run('stake', 'register', 'all', '--withdrawal', COLD)
    expect([code, data.error.code]).toEqual([3, 'CLI_REFUSED'])
    expect(data.error.data.checks).toContainEqual(
      expect.objectContaining({ name: 'tokens', state: 'failed', fix: expect.stringContaining('send POST') }),
    )
  })

  test('update brings the registry in line with config.json, and is idle when it is', async () => {
    const node = await createNode('update', { ether: POST, tokens: 1000n * POST })
    await node.run('stake', 'register', 'all', '--withdrawal', COLD)
    expect((await node.run('stake', 'update')).data).toMatchObject({ done: false })
    const file = join(node.dataDir, 'config.json')
    const config = JSON.parse(await readFile(file, 'utf8'))
    const announce = ['/dns4/node.example/tcp/60000']
    await writeFile(file, JSON.stringify({ ...config, announce, prices: { publish: '5' } }))
    const { data } = await node.run('stake', 'update')
    expect(data.transactions).toHaveLength(2)
    expect((await node.run('stake')).data.endpoints).toEqual(announce)
  })
})

describe('payout', () => {
  test('is set once, to another account', async () => {
    const node = await createNode('payout', { ether: POST })
    expect((await node.run('rewards', 'payout')).data).toMatchObject({ cold: false })
    expect((await node.run('rewards', 'payout', node.account)).code).toBe(3)
    expect((await node.run('rewards', 'payout', COLD)).data.done).toBe(true)
    expect((await node.run('rewards', 'payout')).data).toMatchObject({ cold: true })
    expect((await node.run('rewards', 'payout', COLD)).data.done).toBe(false)
    const other = await node.run('rewards', 'payout', `0x${'d0'.repeat(20)}`)
    expect([other.code, other.data.error.code]).toEqual([3, 'CLI_REFUSED'])
  })
})

describe('rln', () => {
  test('register writes the identity first, pays, and leaves with the deposit', async () => {
    const node = await createNode('member', { ether: POST, tokens: 100n * POST })
    const file = join(node.dataDir, 'rln.json')

    const dry = await node.run('rln', 'register', '20', '--dry-run')
    expect([dry.code, dry.data.deposit]).toEqual([0, amount((18n * POST) / 10n)])
    await expect(stat(file)).rejects.toThrow()

    const done = await node.run('rln', 'register', '20', '--kdf', 'light')
    const { index } = done.data
    expect([done.code, Number.isInteger(index)]).toEqual([0, true])
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({
      limit: 20,
      index,
      keystore: { version: 3 },
    })
    expect((await node.run('rln')).data).toMatchObject({ state: 'active', limit: 20, index })
    expect((await node.run('keys', 'verify')).data.checks).toHaveLength(3)
    expect((await node.run('rln', 'register', '20')).code).toBe(3)

    expect((await node.run('rln', 'leave')).code).toBe(0)
    expect(named((await node.run('withdraw', '--dry-run')).data.checks, 'RLN deposit')?.reason).toContain(
      'frozen',
    )
    await chain.pass(11)
    expect((await node.run('withdraw')).data.effects.join()).toContain('RLN deposit')
    expect((await node.run('rln')).data.state).toBe('withdrawn')
  })

  test('an interrupted registration goes on with the identity on disk', async () => {
    const node = await createNode('interrupted', { ether: POST })
    expect((await node.run('rln', 'register', '20', '--kdf', 'light')).code).toBe(3) // no tokens
    await chain.fund(node.account as `0x${string}`, { tokens: 100n * POST })
    const { code } = await node.talk('rln', 'register', '20', '--kdf', 'light') // identity written, not confirmed
    expect(code).toBe(3)
    const { commitment } = JSON.parse(await readFile(join(node.dataDir, 'rln.json'), 'utf8'))
    expect((await node.run('rln')).data).toMatchObject({ state: 'not-registered', commitment })
    expect(
      named((await node.run('rln', 'register', '21')).data.error.data.checks, 'identity')?.fix,
    ).toContain('20')
    expect((await node.run('rln', 'register', '20')).code).toBe(0)
    expect((await node.run('rln')).data).toMatchObject({ state: 'active', commitment })
  })

  test.each(['0', '65536', 'many', '-1', '1.5'])('a limit of %s is refused', async (limit) => {
    const node = await createNode(`limit-${limit}`, {})
    const { code, data } = await node.run('rln', 'register', limit)
    expect([code, data.error.code]).toEqual([2, 'CLI_USAGE'])
  })
})

test('a clock behind the chain is found', async () => {
  const node = await createNode('late', {})
  await chain.pass(3600)
  expect(named((await node.run('doctor')).data.checks, 'clock')).toMatchObject({ state: 'failed' })
})
