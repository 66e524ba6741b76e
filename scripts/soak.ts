// npm run soak: the long forms of tests that kill, starve, reorganise and forge, round after round until the time is over.
//
//     npm run soak -- [minutes]        30 when absent
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..')
const DEFAULT_MINUTES = 30

/** Files that read POSTRIDER_SOAK and then walk everything instead of a part. */
const LONG = [
  'test/money-kill.test.ts',
  'test/money-faults.test.ts',
  'node/payments/crash.test.ts',
  'circuits/engine/verifier.test.ts',
]

const minutes = Number(process.argv[2] ?? DEFAULT_MINUTES)
if (!(minutes > 0)) {
  process.stderr.write('usage: npm run soak -- [minutes]\n')
  process.exit(2)
}
const deadline = Date.now() + minutes * 60_000
let rounds = 0
do {
  const { status } = spawnSync(
    join(ROOT, 'node_modules', '.bin', 'vitest'),
    ['run', '--testTimeout', '1800000', ...LONG],
    { cwd: ROOT, stdio: 'inherit', env: { ...process.env, POSTRIDER_SOAK: '1' } },
  )
  if (status !== 0) {
    process.stderr.write(`soak failed in round ${rounds + 1}\n`)
    process.exit(1)
  }
  rounds++
} while (Date.now() < deadline)
process.stdout.write(`soak passed, rounds: ${rounds}\n`)
