// npm run check: everything about the source that is not a test of behaviour.
// Prints one line a step; exits non-zero if any failed. `npm test` runs it first and counts its steps.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..')
const BIN = join(ROOT, 'node_modules', '.bin')

type Step = { name: string; file: string; args: string[]; fix: string }

const program = (name: string, file: string, fix: string, args: string[] = ['--check']): Step => ({
  name,
  file: process.execPath,
  args: [join(ROOT, file), ...args],
  fix,
})

const STEPS: Step[] = [
  { name: 'types and import walls (tsc -b)', file: join(BIN, 'tsc'), args: ['-b'], fix: 'mend the types' },
  {
    name: 'format and lint (biome)',
    file: join(BIN, 'biome'),
    args: ['check'],
    fix: 'npx biome check --write',
  },
  program('packages that each folder may import', 'scripts/walls.ts', 'see docs/adr/0001-workspaces.md', []),
  program('no float touches money', 'scripts/money.ts', 'use bigint, or list the use with its reason', []),
  program('protobuf code is up to date', 'protocol/scripts/generate-wire.ts', 'run it without --check'),
  program('contract ABIs are up to date', 'contracts/scripts/generate-abi.ts', 'run it without --check'),
  program('circuit artifacts match manifest and source', 'circuits/scripts/build.ts', 'circuits/README.md'),
  program('OpenAPI document is up to date', 'node/api/scripts/generate-openapi.ts', 'run it without --check'),
  program('command reference is up to date', 'node/cli/scripts/generate-docs.ts', 'run it without --check'),
  program('error reference is up to date', 'scripts/errors-doc.ts', 'run it without --check'),
  program('test vectors are up to date', 'protocol/scripts/make-vectors.ts', 'run it without --check'),
]

export type CheckResult = { passed: number; failed: number }

export function check(): CheckResult {
  let failed = 0
  for (const step of STEPS) {
    const started = performance.now()
    const result = spawnSync(step.file, step.args, {
      cwd: ROOT,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    })
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    if (result.status === 0) {
      process.stdout.write(`  ok    ${step.name} (${seconds} s)\n`)
      continue
    }
    failed += 1
    process.stdout.write(`  FAIL  ${step.name} (${seconds} s); to mend it: ${step.fix}\n`)
    process.stdout.write(`${result.stdout ?? ''}${result.stderr ?? ''}${result.error?.message ?? ''}\n`)
  }
  return { passed: STEPS.length - failed, failed }
}

if (import.meta.main) {
  const { failed } = check()
  process.exitCode = failed === 0 ? 0 : 1
}
