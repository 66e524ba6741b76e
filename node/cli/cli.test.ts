import { spawnSync } from 'node:child_process'
import { chmod, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createTempDir, type TempDir } from '../core/testing/temp-dir.ts'
import { runHere, runJson } from './testing/in-process.ts'
import { runPostrider } from './testing/process.ts'

const PASSWORD = 'correct horse battery'
// The first account of every development chain.
const KEY = '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80'
const NETWORK = {
  name: 'testnet',
  chainId: 31337,
  rpcUrls: ['http://user:RPC-SECRET@127.0.0.1:1/RPC-SECRET'],
  contracts: {
    token: `0x${'1'.repeat(40)}`,
    nodeRegistry: `0x${'2'.repeat(40)}`,
    paymentChannels: `0x${'3'.repeat(40)}`,
    rlnMembership: `0x${'4'.repeat(40)}`,
  },
  deployBlock: 1,
  networkId: 'postrider-testnet',
  clusterId: 42,
  shardCount: 1,
  epochSeconds: 10,
  bootstrap: [],
}

let dir: TempDir
let dataDir: string
beforeEach(async () => {
  dir = await createTempDir()
  dataDir = dir.file('node')
  await writeFile(dir.file('network.json'), JSON.stringify(NETWORK))
  await writeFile(dir.file('password'), `${PASSWORD}\n`, { mode: 0o600 })
})
afterEach(() => dir.remove())

const initArgs = () => [
  'init',
  '--data-dir',
  dataDir,
  '--network',
  dir.file('network.json'),
  '--kdf',
  'light',
]
const init = (...more: string[]) => runJson([...initArgs(), '--password-file', dir.file('password'), ...more])

describe('usage', () => {
  test.each([
    [['--nonsense']],
    [['nonsense']],
    [['stake', 'nonsense']],
    [['stake', 'register']],
    [['init', '--kdf', 'weak']],
    [[]],
  ])('%j is refused with 2', async (args) => {
    const { code, stdout } = await runHere(args)
    expect([code, stdout]).toEqual([2, ''])
  })

  test('with --json even a usage error is one document on stdout', async () => {
    const { code, data, stderr } = await runJson(['stake', 'register'])
    expect(code).toBe(2)
    expect(data.error).toMatchObject({ code: 'CLI_USAGE', exitCode: 2 })
    expect(stderr).toBe('')
  })

  test('help and version exit with 0, on stdout', async () => {
    const help = await runHere(['stake', '--help'])
    expect([help.code, help.stderr]).toEqual([0, ''])
    expect(help.stdout).toContain('register')
    expect((await runHere(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })

  test('the completion scripts know every command', async () => {
    const bash = await runHere(['completion', 'bash'])
    expect(bash.stdout).toContain("'stake register') words='")
    expect(spawnSync('bash', ['-n'], { input: bash.stdout }).status).toBe(0)
  })

  test('output that nobody reads is no crash, and is told by the exit code', async () => {
    const [help, failure] = await Promise.all([
      runPostrider(['--help'], { closeStdout: true }),
      runPostrider(['status', '--json', '--data-dir', dataDir], { closeStdout: true }),
    ])
    expect([help.code, help.stderr]).toEqual([141, ''])
    // A failure keeps its own code.
    expect([failure.code, failure.stderr]).toEqual([3, ''])
  })

  test('without a node, commands say so and exit with 3', async () => {
    for (const command of [['status'], ['stake', 'status'], ['doctor'], ['config', 'print'], ['run']]) {
      const { code } = await runHere([...command, '--data-dir', dataDir, '--no-input'])
      expect([command, code]).toEqual([command, 3])
    }
  })
})

describe('init', () => {
  test('writes private files, says what comes next, and leaks nothing', async () => {
    const { code, data, stderr } = await init('--api-port', '0', '--services', 'relay,store')
    expect([code, stderr]).toEqual([0, ''])
    expect(data.address).toMatch(/^0x[0-9a-fA-F]{40}$/)
    expect(data.peerId).toMatch(/^12D3KooW/)
    const files = await readdir(dataDir)
    expect(files.sort()).toEqual([
      'api-tokens.json',
      'config.json',
      'identity.key',
      'keystore.json',
      'network.json',
    ])
    for (const file of files)
      expect([file, (await stat(join(dataDir, file))).mode & 0o777]).toEqual([file, 0o600])
    expect((await stat(dataDir)).mode & 0o777).toBe(0o700)
    const keystore = JSON.parse(await readFile(join(dataDir, 'keystore.json'), 'utf8'))
    expect(keystore).toMatchObject({ version: 3, crypto: { cipher: 'aes-128-ctr' } })
    expect(await readFile(join(dataDir, 'config.json'), 'utf8')).not.toContain(PASSWORD)
    const shown = await runJson(['config', '--data-dir', dataDir])
    expect(shown.data).toMatchObject({ api: { port: 0 }, services: { relay: true, filter: false } })
  })

  test('imports a key from a private file, not from an open one', async () => {
    const keyFile = dir.file('key')
    await writeFile(keyFile, `${KEY}\n`, { mode: 0o644 })
    expect((await init('--import-key', keyFile)).data.error).toMatchObject({
      code: 'KEYS_FILE_EXPOSED',
      exitCode: 6,
    })
    await chmod(keyFile, 0o600)
    const { data, stdout } = await init('--import-key', keyFile)
    expect(data.address).toBe(
      '0x16b9d3a48fDab9C0a9AB8b3Af0cE30d4C9f2a8fE'.slice(0, 2) + data.address.slice(2),
    )
    expect(stdout).not.toContain(KEY.slice(2))
  })

  test('never runs over a node that is there', async () => {
    await init()
    const before = await readFile(join(dataDir, 'keystore.json'), 'utf8')
    const { code, data } = await init()
    expect([code, data.error.code]).toEqual([3, 'CLI_ALREADY_INITIALIZED'])
    expect(await readFile(join(dataDir, 'keystore.json'), 'utf8')).toBe(before)
  })

  test('goes on after an interruption with the same key, if the password opens it', async () => {
    const first = await init()
    await writeFile(dir.file('other'), 'another password', { mode: 0o600 })
    await rm(join(dataDir, 'config.json'))
    const wrong = await runJson([...initArgs(), '--password-file', dir.file('other')])
    expect([wrong.code, wrong.data.error.code]).toEqual([6, 'KEYS_PASSWORD_WRONG'])
    expect((await init()).data).toMatchObject({ address: first.data.address, peerId: first.data.peerId })
  })

  test('refuses before it writes anything', async () => {
    const attempts = [
      { args: ['--api-port', '99999'], code: 'CONFIG_INVALID', exit: 2 },
      { args: ['--services', 'relay,fax'], code: 'CLI_USAGE', exit: 2 },
      { args: ['--listen', 'tcp://0.0.0.0'], code: 'CONFIG_INVALID', exit: 2 },
      { args: ['--password-file', dir.file('missing')], code: 'KEYS_PASSWORD_MISSING', exit: 6 },
    ]
    for (const { args, code, exit } of attempts) {
      const refused = await init(...args)
      expect([args, refused.code, refused.data.error.code]).toEqual([args, exit, code])
    }
    const silent = await runJson(initArgs())
    expect([silent.code, silent.data.error.code]).toEqual([6, 'KEYS_PASSWORD_MISSING'])
    await writeFile(dir.file('password'), 'short')
    expect((await init()).data.error.code).toBe('KEYS_PASSWORD_WEAK')
    await expect(stat(dataDir)).rejects.toThrow()
  })

  test('takes the password file from the environment', async () => {
    const env = { POSTRIDER_PASSWORD_FILE: dir.file('password') }
    expect((await runJson(initArgs(), { env })).code).toBe(0)
    expect((await runJson(['keys', 'verify', '--data-dir', dataDir], { env })).code).toBe(0)
  })
})

describe('keys and configuration', () => {
  test('are shown without secrets', async () => {
    const { data } = await init()
    const keys = await runJson(['keys', '--data-dir', dataDir])
    expect(keys.data.address).toBe(data.address)
    expect(keys.data).toMatchObject({ peerId: data.peerId, rln: null })
    const env = { POSTRIDER_RPC_URLS: 'https://name:RPC-SECRET@rpc.example/v3/RPC-SECRET' }
    for (const command of [
      ['config', 'print'],
      ['config', 'keys'],
      ['keys', 'show'],
    ]) {
      const { stdout, stderr, code } = await runHere([...command, '--data-dir', dataDir], { env })
      expect([command, code]).toEqual([command, 0])
      expect(stdout + stderr).not.toMatch(/RPC-SECRET|correct horse/)
    }
  })

  test('verify rehearses a recovery', async () => {
    await init()
    const good = await runJson(['keys', 'verify', '--data-dir', dataDir])
    expect([good.code, good.data.checks.map(({ state }: { state: string }) => state)]).toEqual([
      0,
      ['ok', 'ok'],
    ])
    await writeFile(dir.file('wrong'), 'not the password', { mode: 0o600 })
    const bad = await runJson(['keys', 'verify', '--data-dir', dataDir, '--password-file', dir.file('wrong')])
    expect([bad.code, bad.data.checks[0].state]).toEqual([6, 'failed'])
    expect(bad.stdout + bad.stderr).not.toContain('not the password')
  })

  test('doctor names every trouble with its fix', async () => {
    await init()
    await chmod(join(dataDir, 'api-tokens.json'), 0o644)
    await chmod(dataDir, 0o755)
    const { code, data } = await runJson(['doctor', '--data-dir', dataDir])
    expect(code).toBe(3)
    expect(data.healthy).toBe(false)
    const find = (name: string) => data.checks.find((check: { name: string }) => check.name === name)
    expect(find('data folder')).toMatchObject({ state: 'warning', fix: `chmod 700 ${dataDir}` })
    expect(find('API tokens')).toMatchObject({ state: 'failed' })
    expect(find('chain')).toMatchObject({ state: 'failed' })
    expect(find('password')).toMatchObject({ state: 'ok' })
    expect(find('running node')).toMatchObject({ state: 'skipped' })
    for (const { state, fix } of data.checks)
      expect(fix !== null).toBe(state === 'failed' || state === 'warning')
    const text = await runHere(['doctor', '--data-dir', dataDir])
    expect(text.code).toBe(3)
    expect(text.stdout).toContain('✗ failed')
    expect(text.stdout + JSON.stringify(data)).not.toContain('RPC-SECRET')
  })
})

describe('as a process of its own', () => {
  const script = spawnSync('script', ['--version'])
  const main = fileURLToPath(new URL('./main.ts', import.meta.url))

  test('data goes to stdout, talk to stderr, the exit code to the shell', async () => {
    const help = await runPostrider(['--help'])
    expect([help.code, help.stderr]).toEqual([0, ''])
    const env = { POSTRIDER_PASSWORD_FILE: dir.file('password') }
    const created = await runPostrider([...initArgs(), '--json'], { env })
    expect([created.code, created.stderr]).toEqual([0, ''])
    expect(JSON.parse(created.stdout).peerId).toMatch(/^12D3KooW/)
    const refused = await runPostrider(initArgs(), { env })
    expect([refused.code, refused.stdout]).toEqual([3, ''])
    expect(refused.stderr).toContain('CLI_ALREADY_INITIALIZED')
  })

  test('a pipe is not asked, so a missing password is a failure and not a hang', async () => {
    const { code, stderr } = await runPostrider(initArgs())
    expect(code).toBe(6)
    expect(stderr).toContain('KEYS_PASSWORD_MISSING')
  })

  test.skipIf(script.error !== undefined)(
    'in a terminal the password is asked twice and never shown',
    async () => {
      const command = [process.execPath, main, ...initArgs()].map((part) => `'${part}'`).join(' ')
      const { stdout, status } = spawnSync('script', ['-qec', command, '/dev/null'], {
        input: `${PASSWORD}\n${PASSWORD}\n`,
        encoding: 'utf8',
        env: { ...process.env, NODE_NO_WARNINGS: '1' },
      })
      expect([status, stdout]).toEqual([0, expect.stringContaining('Password for the new keystore')])
      // The pseudo-terminal itself echoes what is written before the question switches that off.
      expect(stdout.slice(stdout.indexOf('Password for'))).not.toContain(PASSWORD)
      expect((await init()).data.error.code).toBe('CLI_ALREADY_INITIALIZED')
    },
  )
})
