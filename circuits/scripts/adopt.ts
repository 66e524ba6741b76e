// Makes a key folder of a proving key from a ceremony: `node circuits/scripts/adopt.ts DIR`, where DIR holds rln.zkey.
//
// Writes beside it what belongs to it and a manifest that pins all of it, and prints what goes into a node's
// configuration. It refuses a key of another circuit, and one whose proofs do not verify. A key over this repository's
// powers of tau stays a development key, whatever was contributed to it since: their randomness is public. Whether
// another ceremony was honest it cannot see: `snarkjs zkey verify` checks the transcript.
import { createHash } from 'node:crypto'
import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { createProver, createVerifier, type VerificationKey } from '@postrider/circuits/engine'
import { parseProvingKey } from '../engine/prover/zkey.ts'
import { DEFAULT_ARTIFACTS_DIR, loadArtifacts } from '../index.ts'
import { memberInputs } from '../testing/member.ts'
import { exportVerificationKey } from './setup.ts'

const [folder] = process.argv.slice(2)
if (folder === undefined) {
  console.error('usage: node circuits/scripts/adopt.ts DIR')
  process.exit(2)
}
const dir = resolve(folder)
const fault = await adopt(dir)
if (fault === undefined) {
  const manifestSha256 = sha256(await readFile(join(dir, 'manifest.json')))
  console.log(JSON.stringify({ zk: { keysDir: dir, manifestSha256 } }, null, 2))
} else {
  console.error(fault)
  process.exitCode = 1
}
// snarkjs leaves threads behind.
process.exit()

/** What is wrong with the key; undefined once its folder is complete. */
async function adopt(dir: string): Promise<string | undefined> {
  const ours = await loadArtifacts()
  const zkey = new Uint8Array(await readFile(join(dir, 'rln.zkey')))
  const [key, development] = [parseProvingKey(zkey), parseProvingKey(ours.zkey)]
  if (!isDeepStrictEqual(key.coefficients, development.coefficients)) {
    return 'rln.zkey is of another circuit: its constraints differ'
  }
  const verificationKey = await exportVerificationKey(join(dir, 'rln.zkey'))
  if (!(await works({ wasm: ours.wasm, zkey }, verificationKey as VerificationKey))) {
    return 'rln.zkey makes proofs that its own verification key refuses'
  }
  await copyFile(join(DEFAULT_ARTIFACTS_DIR, 'rln.wasm'), join(dir, 'rln.wasm'))
  await writeFile(join(dir, 'verification_key.json'), json(verificationKey))
  const files = await Promise.all(Object.keys(ours.manifest.files).map((name) => recordOf(dir, name)))
  const { parameters } = ours.manifest
  const kind = isDeepStrictEqual(key.alpha1, development.alpha1) ? 'development' : 'ceremony'
  const manifest = { parameters, files: Object.fromEntries(files), setup: { kind } }
  await writeFile(join(dir, 'manifest.json'), json(manifest))
  return undefined
}

async function works(keys: { wasm: Uint8Array; zkey: Uint8Array }, key: VerificationKey): Promise<boolean> {
  const [prover, verifier] = [createProver(keys), createVerifier(key)]
  const { proof, signals } = await prover.prove(memberInputs())
  return verifier.verify(proof, signals)
}

async function recordOf(dir: string, name: string) {
  const bytes = await readFile(join(dir, name))
  return [name, { sha256: sha256(bytes), bytes: bytes.byteLength }] as const
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
