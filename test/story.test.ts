import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { ROOT } from '../devnet/processes.ts'
import { createTempDir, type TempDir } from '../node/core/testing/temp-dir.ts'
import { CAN_LIST_FAMILIES, FAMILY_VARIABLE, familyOf } from './support/traces.ts'

/** What the story promises on two quiet cores, and what is waited for on a machine that does other things too. */
const PROMISED_SECONDS = 90
const TIMEOUT_MS = 300_000

/** Everything that the story must prove, in its own words. */
const ASSERTIONS = [
  'every honest message reached the subscriber, once and unchanged',
  'Alice paid for publishing',
  'no node rejected an honest message',
  'history is complete and in order',
  'every proof in history is valid',
  'history was paid by ticks or vouchers',
  'the stock client’s message was taken and reached the subscriber',
  'the first message was within the limit',
  'every node rejected the second message',
  'the spammer’s deposit is slashed on chain, once',
  'the reward went to a node that proved it',
  'reward and burnt share are the whole deposit',
  'the subscriber never saw the second message',
  'every operator was paid what its vouchers say, to the last unit',
  'an operator settles several channels in one transaction',
  'the stake came back to the cold address in full',
]

let folder: TempDir
let family: string
let child: ChildProcess | undefined
beforeEach(async () => {
  folder = await createTempDir()
  family = randomUUID()
})
afterEach(async () => {
  child?.kill('SIGKILL')
  for (const one of CAN_LIST_FAMILIES ? familyOf(family) : [])
    process.kill(Number.parseInt(one, 10), 'SIGKILL')
  await folder.remove()
})

/** Starts the devnet with a data folder and a folder for temporary files that are empty. */
function startDevnet(...args: string[]) {
  const [dir, tmp] = [folder.file('data'), folder.file('tmp')]
  mkdirSync(tmp)
  const options = { cwd: ROOT, env: { ...process.env, TMPDIR: tmp, [FAMILY_VARIABLE]: family } }
  const started = spawn(process.execPath, [join('devnet', 'main.ts'), '--dir', dir, ...args], options)
  child = started
  let [stdout, told] = ['', '']
  started.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  started.stderr.on('data', (chunk: Buffer) => (told += chunk.toString()))
  const ended = new Promise<number | null>((resolve) => started.once('close', resolve))
  return { process: started, ended, stdout: () => stdout, told: () => told, traces: () => tracesOf(dir, tmp) }
}

const tracesOf = (dir: string, tmp: string) => ({
  processes: CAN_LIST_FAMILIES ? familyOf(family) : [],
  dataFolder: existsSync(dir),
  temporaryFiles: readdirSync(tmp),
})
const NOTHING = { processes: [], dataFolder: false, temporaryFiles: [] }

it('the whole story holds, in time, and leaves nothing behind', { timeout: TIMEOUT_MS }, async () => {
  const startMs = performance.now()
  const devnet = startDevnet('--once', '--json')
  const code = await devnet.ended
  const seconds = (performance.now() - startMs) / 1_000
  expect(code, devnet.told()).toBe(0)
  const { ok, assertions } = JSON.parse(devnet.stdout()) as {
    ok: boolean
    assertions: { text: string; holds: boolean }[]
  }
  expect(assertions.filter(({ holds }) => !holds)).toEqual([])
  expect([ok, assertions.map(({ text }) => text)]).toEqual([true, ASSERTIONS])
  expect(devnet.traces()).toEqual(NOTHING)
  process.stdout.write(`the story took ${seconds.toFixed(1)} s\n`)
  expect(seconds).toBeLessThan(PROMISED_SECONDS)
})

it('Ctrl-C in the middle of it leaves nothing behind either', { timeout: TIMEOUT_MS }, async () => {
  const devnet = startDevnet('--once')
  // The chain runs, and operators are at work: their commands run as processes of their own.
  await vi.waitFor(() => expect(devnet.stdout()).toContain('contracts are deployed'), { timeout: TIMEOUT_MS })
  if (CAN_LIST_FAMILIES) expect(familyOf(family).length).toBeGreaterThan(1)
  // A process group gets it from the terminal, and from the launcher once more.
  devnet.process.kill('SIGINT')
  devnet.process.kill('SIGINT')
  expect(await devnet.ended).toBe(130)
  expect(devnet.traces()).toEqual(NOTHING)
})

it.runIf(CAN_LIST_FAMILIES)('killed, it leaves its logs only', { timeout: TIMEOUT_MS }, async () => {
  const devnet = startDevnet('--once')
  await vi.waitFor(() => expect(devnet.stdout()).toContain('contracts are deployed'), { timeout: TIMEOUT_MS })
  expect(familyOf(family).length).toBeGreaterThan(1)
  devnet.process.kill('SIGKILL')
  await devnet.ended
  const left = { ...NOTHING, dataFolder: true }
  await vi.waitFor(() => expect(devnet.traces()).toEqual(left), { timeout: TIMEOUT_MS })
})
