// Another set of keys for the circuit: the repository's with one contribution more to their second phase. Real keys,
// under which the repository's proofs are worth nothing, in seconds instead of minutes.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DEFAULT_ARTIFACTS_DIR } from '@postrider/circuits'
import * as snarkjs from 'snarkjs'

/** The least that the file format allows. */
const BEACON_ITERATIONS_EXP = 10
const ADOPT = join(import.meta.dirname, '..', '..', 'circuits', 'scripts', 'adopt.ts')

export type KeyFolder = { keysDir: string; manifestSha256: string }

/** Makes `rln.zkey` in the folder. */
export async function contribute(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true })
  const curve = await snarkjs.curves.getCurveFromName('bn128')
  const from = join(DEFAULT_ARTIFACTS_DIR, 'rln.zkey')
  try {
    await snarkjs.zKey.beacon(from, join(dir, 'rln.zkey'), 'another', 'ab'.repeat(32), BEACON_ITERATIONS_EXP)
  } finally {
    await curve.terminate()
  }
}

/** What an operator does with a ceremony's `rln.zkey`; the program's exit code and words. */
export function adopt(dir: string) {
  return spawnSync(process.execPath, [ADOPT, dir], { encoding: 'utf8' })
}

/** Changes the set-up that the folder's manifest states; its new hash. */
export async function declare(dir: string, kind: string): Promise<KeyFolder> {
  const path = join(dir, 'manifest.json')
  const manifest = JSON.parse(await readFile(path, 'utf8'))
  const bytes = JSON.stringify({ ...manifest, setup: { kind } })
  await writeFile(path, bytes)
  return { keysDir: dir, manifestSha256: createHash('sha256').update(bytes).digest('hex') }
}
