/**
 * Coverage gate: `node contracts/scripts/coverage.ts` runs all Solidity tests on instrumented contracts and exits 1 when
 * fewer than {@link LEAST} of the lines, or of the branches, were executed.
 *
 * Hardhat counts lines only. So the contracts are copied with every way of an `if` and of a `?:` put on a line of its
 * own, the missing `else` included, and the lines that this adds are the branches. The copy is built and tested in a
 * folder of its own: an instrumented build would otherwise replace the artifacts that everything else deploys.
 */
import { spawn } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Marked, markBranches } from './coverage/branches.ts'

/** Share of lines, and of branches, below which the gate fails. */
const LEAST = 0.98

const ROOT = join(import.meta.dirname, '..', '..')
const MEASURED = ['contracts/libraries', 'contracts/src']
const COPIED = [
  'contracts/interfaces',
  'contracts/test',
  'contracts/package.json',
  'hardhat.config.ts',
  'package.json',
]

type Count = { covered: number; total: number; missed: string[] }

/** Copies the project into `folder` with marked branches. The marks are by path in the project. */
async function copyMarked(folder: string): Promise<Map<string, Marked>> {
  for (const path of COPIED) await cp(join(ROOT, path), join(folder, path), { recursive: true })
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  const marked = new Map<string, Marked>()
  for (const directory of MEASURED) {
    await mkdir(join(folder, directory), { recursive: true })
    for (const name of (await readdir(join(ROOT, directory))).sort()) {
      const path = `${directory}/${name}`
      const file = markBranches(await readFile(join(ROOT, path), 'utf8'))
      marked.set(path, file)
      await writeFile(join(folder, path), file.text)
    }
  }
  return marked
}

/** Runs the tests; their output is shown only if they fail. */
function runTests(folder: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const hardhat = join(ROOT, 'node_modules', '.bin', 'hardhat')
    const child = spawn(process.execPath, [hardhat, 'test', 'solidity', '--coverage'], { cwd: folder })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)))
    child.once('error', reject)
    child.once('close', (code) => {
      if (code === 0) return resolve()
      process.stderr.write(output)
      reject(new Error(`the tests failed with exit code ${code}`))
    })
  })
}

/** Lines of each file that the tests executed (true) or not, of the marked text. */
function parseLcov(text: string): Map<string, Map<number, boolean>> {
  const files = new Map<string, Map<number, boolean>>()
  for (const record of text.split('end_of_record')) {
    const path = /^SF:(.+)$/m.exec(record)?.[1]
    if (path === undefined) continue
    const lines = [...record.matchAll(/^DA:(\d+),(\d+)/gm)].map(
      ([, line, hits]) => [Number(line), hits !== '0'] as const,
    )
    files.set(path, new Map(lines))
  }
  return files
}

/** Branches and other lines of one file, with the lines of the original that were missed. */
function tally(
  path: string,
  file: Marked,
  hits: ReadonlyMap<number, boolean>,
): { lines: Count; branches: Count } {
  const lines: Count = { covered: 0, total: 0, missed: [] }
  const branches: Count = { covered: 0, total: 0, missed: [] }
  const count = (into: Count, hit: boolean, name: string) => {
    into.total += 1
    if (hit) into.covered += 1
    else into.missed.push(name)
  }
  for (const { lines: marks, original, way } of file.branches) {
    count(
      branches,
      marks.some((line) => hits.get(line) === true),
      `${path}:${original} ${way}`,
    )
  }
  const originals = new Map<number, boolean>()
  for (const [line, hit] of hits) {
    const original = file.originalOf[line - 1]
    if (original !== undefined) originals.set(original, hit || originals.get(original) === true)
  }
  for (const [original, hit] of originals) count(lines, hit, `${path}:${original}`)
  return { lines, branches }
}

const add = (a: Count, b: Count): Count => ({
  covered: a.covered + b.covered,
  total: a.total + b.total,
  missed: [...a.missed, ...b.missed],
})
const show = ({ covered, total }: Count): string =>
  total === 0 ? '-' : `${covered}/${total} (${((100 * covered) / total).toFixed(1)} %)`

async function main(): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'postrider-coverage-'))
  try {
    const marked = await copyMarked(folder)
    await runTests(folder)
    const hits = parseLcov(await readFile(join(folder, 'coverage', 'lcov.info'), 'utf8'))
    const rows = [...marked].map(([path, file]) => ({
      path,
      ...tally(path, file, hits.get(path) ?? new Map()),
    }))
    const none: Count = { covered: 0, total: 0, missed: [] }
    const lines = rows.map((row) => row.lines).reduce(add, none)
    const branches = rows.map((row) => row.branches).reduce(add, none)
    console.table(
      [...rows, { path: 'all', lines, branches }].map((row) => ({
        file: row.path,
        lines: show(row.lines),
        branches: show(row.branches),
      })),
    )
    for (const place of [...lines.missed, ...branches.missed]) console.log(`never executed: ${place}`)
    const enough = (c: Count) => c.total > 0 && c.covered >= LEAST * c.total
    return enough(lines) && enough(branches) ? 0 : 1
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

process.exitCode = await main()
