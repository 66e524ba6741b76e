// Remakes wire/generated from wire/proto, or with --check compares it with what the sources give.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

const PROTOCOL_DIR = join(import.meta.dirname, '..')
const GENERATED = join('wire', 'generated')
const BIN = join(PROTOCOL_DIR, '..', 'node_modules', '.bin')

/** Runs buf in a copy of the sources, so that a check touches nothing. */
function generateIn(directory: string): void {
  cpSync(join(PROTOCOL_DIR, 'buf.gen.yaml'), join(directory, 'buf.gen.yaml'))
  cpSync(join(PROTOCOL_DIR, 'wire', 'proto'), join(directory, 'wire', 'proto'), { recursive: true })
  const { status, stderr, error } = spawnSync(join(BIN, 'buf'), ['generate'], {
    cwd: directory,
    encoding: 'utf8',
    env: { ...process.env, PATH: `${BIN}${delimiter}${process.env.PATH}` },
  })
  if (status !== 0) throw new TypeError(`buf generate failed: ${stderr}${error?.message ?? ''}`)
}

function contentOf(directory: string): Map<string, string> {
  const names = readdirSync(directory).sort()
  return new Map(names.map((name) => [name, readFileSync(join(directory, name), 'utf8')]))
}

const directory = mkdtempSync(join(tmpdir(), 'postrider-wire-'))
try {
  generateIn(directory)
  const made = contentOf(join(directory, GENERATED))
  const target = join(PROTOCOL_DIR, GENERATED)
  if (!process.argv.includes('--check')) {
    cpSync(join(directory, GENERATED), target, { recursive: true })
  } else if (JSON.stringify([...made]) !== JSON.stringify([...contentOf(target)])) {
    console.error('protocol/wire/generated is stale: node protocol/scripts/generate-wire.ts')
    process.exitCode = 1
  }
} finally {
  rmSync(directory, { recursive: true, force: true })
}
