// Remakes circuits/artifacts, or with --check proves that what is committed is what the sources give.
//
//   node circuits/scripts/build.ts            compile and set up (several minutes)
//   node circuits/scripts/build.ts --check    compile again, compare every hash (seconds)
import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { CIRCUITS_DIR, compile, readParameters } from './compile.ts'
import { exportVerificationKey, PHASE_1, PHASE_2, SETUP_WARNING, setUp } from './setup.ts'

const ARTIFACTS_DIR = join(CIRCUITS_DIR, 'artifacts')
const TOOLS = ['circom2', 'circomlib', 'snarkjs'] as const

const digest = (bytes: Uint8Array) => ({
  sha256: createHash('sha256').update(bytes).digest('hex'),
  bytes: bytes.byteLength,
})
const json = (value: unknown) => new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`)
const say = (text: string) => console.error(text)

/** The versions that the lockfile's root pins, which are the ones that run here. */
async function toolVersions(): Promise<Record<string, string | undefined>> {
  const root = JSON.parse(await readFile(join(CIRCUITS_DIR, '..', 'package.json'), 'utf8')) as {
    devDependencies: Record<string, string>
  }
  return Object.fromEntries(TOOLS.map((name) => [name, root.devDependencies[name]]))
}

async function build(): Promise<void> {
  const parameters = await readParameters()
  say('compiling')
  const { r1cs, wasm } = await compile(parameters)
  const { zkey, verificationKey } = await setUp(r1cs, parameters.powersOfTau, say)
  const files = { 'rln.wasm': wasm, 'rln.zkey': zkey, 'verification_key.json': json(verificationKey) }
  const manifest = {
    parameters,
    publicSignals: ['y', 'root', 'nullifier', 'x', 'externalNullifier'],
    files: Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, digest(bytes)])),
    r1cs: digest(r1cs),
    tools: await toolVersions(),
    setup: { kind: 'development', warning: SETUP_WARNING, contributions: [PHASE_1, PHASE_2] },
  }
  await mkdir(ARTIFACTS_DIR, { recursive: true })
  for (const [name, bytes] of Object.entries({ ...files, 'manifest.json': json(manifest) })) {
    await writeFile(join(ARTIFACTS_DIR, name), bytes)
  }
}

type Manifest = {
  parameters: unknown
  files: Record<string, { sha256: string; bytes: number }>
  r1cs: { sha256: string; bytes: number }
}

async function check(): Promise<string[]> {
  const manifest = JSON.parse(await readFile(join(ARTIFACTS_DIR, 'manifest.json'), 'utf8')) as Manifest
  const read = (name: string) => readFile(join(ARTIFACTS_DIR, name))
  const faults: string[] = []
  const expect = (what: string, left: unknown, right: unknown) => {
    if (!isDeepStrictEqual(left, right)) faults.push(what)
  }

  for (const [name, recorded] of Object.entries(manifest.files)) {
    expect(`artifacts/${name} is not the file that the manifest records`, digest(await read(name)), recorded)
  }
  const parameters = await readParameters()
  expect('params.json has changed since the artifacts were made', parameters, manifest.parameters)
  const { r1cs, wasm } = await compile(parameters)
  expect('the circuit has changed: its constraints differ', digest(r1cs), manifest.r1cs)
  expect('the circuit has changed: its witness code differs', digest(wasm), manifest.files['rln.wasm'])
  const exported = json(await exportVerificationKey(join(ARTIFACTS_DIR, 'rln.zkey')))
  expect(
    'verification_key.json is not the one of rln.zkey',
    digest(exported),
    digest(await read('verification_key.json')),
  )
  return faults
}

if (process.argv.includes('--check')) {
  const faults = await check()
  for (const fault of faults) say(fault)
  say(
    faults.length === 0 ? 'circuit artifacts are up to date' : 'remake them: node circuits/scripts/build.ts',
  )
  process.exitCode = faults.length === 0 ? 0 : 1
} else {
  await build()
}
