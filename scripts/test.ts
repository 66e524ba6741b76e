// npm test: the checks, the Solidity tests and the TypeScript tests, with one closing line for all:
// `N passed, M failed, K skipped`. Each runner keeps its own output above it.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { check } from './check.ts'

const ROOT = join(import.meta.dirname, '..')
const BIN = join(ROOT, 'node_modules', '.bin')

type Tally = { passed: number; failed: number; skipped: number }

async function main(): Promise<void> {
  const tallies: Tally[] = []
  heading('check')
  tallies.push({ ...check(), skipped: 0 })
  heading('contracts')
  tallies.push(await solidityTests())
  heading('TypeScript, unit to end-to-end')
  tallies.push(await vitestTests())
  const total = tallies.reduce(add)
  process.stdout.write(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`)
  process.exitCode = total.failed === 0 ? 0 : 1
}

/** Hardhat prints `N passing`, `N failing`, `N skipped`; a run without a count is a failure. */
async function solidityTests(): Promise<Tally> {
  const { code, output } = await run(join(BIN, 'hardhat'), ['test', 'solidity'])
  const count = (word: string) => Number(new RegExp(`(\\d+) ${word}`).exec(output)?.[1] ?? 0)
  const tally = { passed: count('passing'), failed: count('failing'), skipped: count('skipped') }
  if (tally.failed === 0 && (code !== 0 || tally.passed === 0)) tally.failed = 1
  return tally
}

async function vitestTests(): Promise<Tally> {
  const folder = mkdtempSync(join(tmpdir(), 'postrider-test-'))
  const report = join(folder, 'vitest.json')
  try {
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
    const { code } = await run(join(BIN, 'vitest'), ['run', ...reporters])
    const result = JSON.parse(readFileSync(report, 'utf8')) as VitestReport
    const tally = {
      passed: result.numPassedTests,
      failed: result.numFailedTests,
      skipped: result.numPendingTests + result.numTodoTests,
    }
    // A file that fails to load, or an error outside any test, fails the run without a failed test.
    if (tally.failed === 0 && (code !== 0 || tally.passed === 0))
      tally.failed = Math.max(1, result.numFailedTestSuites)
    return tally
  } catch (error) {
    process.stdout.write(`vitest left no report: ${String(error)}\n`)
    return { passed: 0, failed: 1, skipped: 0 }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

type VitestReport = {
  numPassedTests: number
  numFailedTests: number
  numPendingTests: number
  numTodoTests: number
  numFailedTestSuites: number
}

/** Runs a program with its output shown as it comes, and kept. */
function run(file: string, args: string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const keep = (chunk: Buffer) => {
      output += chunk.toString()
      process.stdout.write(chunk)
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    child.once('error', reject)
    child.once('close', (code) => resolve({ code: code ?? 1, output: stripColour(output) }))
  })
}

function stripColour(text: string): string {
  return text.replaceAll(new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g'), '')
}

function add(a: Tally, b: Tally): Tally {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped }
}

function heading(text: string): void {
  process.stdout.write(`\n== ${text} ==\n`)
}

await main()
