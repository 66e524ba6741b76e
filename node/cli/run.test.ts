import { type ChildProcess, spawn } from 'node:child_process'
import { stat, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTempDir, type TempDir } from '../core/testing/temp-dir.ts'
import { runJson } from './testing/in-process.ts'
import { type LocalChain, startLocalChain } from './testing/local-chain.ts'

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url))

let dir: TempDir
let chain: LocalChain
let dataDir: string
const started: ChildProcess[] = []

beforeAll(async () => {
  dir = await createTempDir()
  dataDir = dir.file('node')
  await writeFile(dir.file('password'), 'correct horse battery', { mode: 0o600 })
  chain = await startLocalChain(dir.path)
  const init = [
    'init',
    '--data-dir',
    dataDir,
    '--network',
    chain.networkFile,
    '--kdf',
    'light',
    '--api-port',
    '0',
  ]
  await runJson([...init, '--password-file', dir.file('password')])
})
afterAll(async () => {
  for (const child of started) child.kill('SIGKILL')
  await chain[Symbol.asyncDispose]()
  await dir.remove()
})

/** A node as a process; resolves once it serves. */
async function startNode() {
  const child = spawn(process.execPath, [MAIN, 'run', '--data-dir', dataDir, '--no-input'], {
    env: { PATH: process.env.PATH ?? '', NO_COLOR: '1' },
  })
  started.push(child)
  let talk = ''
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve))
  const serves = new Promise<void>((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer) => {
      talk += chunk.toString()
      if (talk.includes('API at http')) resolve()
    })
    child.once('close', () => reject(new Error(talk)))
  })
  await serves
  return { child, exited, talk: () => talk }
}

const status = () => runJson(['status', '--data-dir', dataDir])

test('a node runs, answers, and stops in order', async () => {
  const node = await startNode()
  const { code, data } = await status()
  expect(code).toBe(0)
  expect(data.node.peerId).toMatch(/^12D3KooW/)
  expect(data.rewards.total.earned.amount).toBe('0')
  expect(data.slashing).toEqual([])
  expect((await runJson(['channel', 'list', '--data-dir', dataDir])).data.channels).toEqual([])
  const claim = await runJson(['rewards', 'claim-all', '--data-dir', dataDir, '--yes'])
  expect([claim.code, claim.data.wouldSend]).toEqual([0, false])
  node.child.kill('SIGTERM')
  expect(await node.exited).toBe(0)
  expect(node.talk()).not.toContain('correct horse')
  expect(node.talk()).toContain('CIRCUITS_DEVELOPMENT_KEYS')
  await expect(stat(`${dataDir}/running.json`)).rejects.toThrow()
  expect((await status()).data.error.code).toBe('CLI_NODE_UNREACHABLE')
})

test('a killed node is known to be gone, and starts again', async () => {
  const node = await startNode()
  node.child.kill('SIGKILL')
  await node.exited
  expect((await status()).data.error.code).toBe('CLI_NODE_UNREACHABLE')
  const again = await startNode()
  expect((await status()).code).toBe(0)
  again.child.kill('SIGINT')
  expect(await again.exited).toBe(0)
})

test('the wrong password is a matter of keys', async () => {
  await writeFile(dir.file('wrong'), 'not the password', { mode: 0o600 })
  const { code, data } = await runJson(['run', '--data-dir', dataDir, '--password-file', dir.file('wrong')])
  expect([code, data.error.code]).toEqual([6, 'KEYS_PASSWORD_WRONG'])
})
