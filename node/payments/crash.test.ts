import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, expect, it } from 'vitest'
import { openDatabase } from '../core/db/index.ts'
import { createTempDir } from '../core/testing/temp-dir.ts'
import { recordPaid } from './account.ts'
import { createPrismaLedger } from './ledger/prisma.ts'
import { createPayer } from './testing/kit.ts'

const CHILD = join(import.meta.dirname, 'testing', 'crash-child.ts')

type Line = { paid?: string; spent?: string; charged?: string; ok?: boolean; resumed?: string }

/** Blocks of 1,024 bytes that any one file may have: the database fits, its journal soon does not. */
const FULL_DISK_BLOCKS = 600

const lineCounts = process.env.POSTRIDER_SOAK === '1' ? range(1, 400) : [1, 2, 30, 77, 150]

/** Runs the child until it has said `lines` lines, kills it there, and returns what it said. */
async function runAndKill(path: string, lines: number): Promise<Line[]> {
  const child = spawn(process.execPath, [CHILD, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  const said: Line[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    said.push(JSON.parse(line) as Line)
    if (said.length === lines) child.kill('SIGKILL')
  }
  return said
}

/** Runs the child until no file can grow any more, which ends it. */
async function runUntilFull(path: string): Promise<Line[]> {
  const limited = `ulimit -f ${FULL_DISK_BLOCKS}; exec "$0" "$@"`
  const child = spawn('sh', ['-c', limited, process.execPath, CHILD, path], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const said: Line[] = []
  for await (const line of createInterface({ input: child.stdout })) said.push(JSON.parse(line) as Line)
  return said
}

/** Compares what is on disk with what was said; returns what was paid. */
async function expectKept(path: string, said: readonly Line[], before: bigint): Promise<bigint> {
  const { close, ...database } = await openDatabase(path)
  const ledger = createPrismaLedger(database)
  const record = (await ledger.account(createPayer('alice').channelId))!
  const charges = await ledger.charges(record.channelId, 100_000)
  await close()

  expect(BigInt(said[0]?.resumed ?? -1)).toBe(before)
  const told = (field: 'paid' | 'spent') =>
    said.reduce((most, line) => (BigInt(line[field] ?? 0) > most ? BigInt(line[field] ?? 0) : most), 0n)
  expect(recordPaid(record) >= told('paid')).toBe(true)
  expect(record.spent >= told('spent')).toBe(true)
  const known = new Set(charges.map(({ requestId }) => requestId))
  for (const { charged, ok } of said) if (charged && ok) expect(known).toContain(charged)
  expect(charges.reduce((sum, { price }) => sum + price, 0n)).toBe(record.spent)
  return recordPaid(record)
}

describe('a node killed with SIGKILL', () => {
  it('has on disk every payment and charge that it told anybody of, and goes on from there', async () => {
    await using dir = await createTempDir()
    const path = dir.file('node.db')
    let before = 0n
    for (const lines of lineCounts) before = await expectKept(path, await runAndKill(path, lines), before)
  })
})

// The limit of a process on the size of its files is what Linux and macOS have; elsewhere the injected fault must do.
describe.skipIf(process.platform === 'win32')('a node whose disk is full', () => {
  it('has told nothing that it did not keep, and goes on when there is room again', async () => {
    await using dir = await createTempDir()
    const path = dir.file('node.db')
    const first = await runUntilFull(path)
    expect(first.length).toBeGreaterThan(10)
    const before = await expectKept(path, first, 0n)
    await expectKept(path, await runAndKill(path, 40), before)
  })
})

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, at) => from + at)
}
