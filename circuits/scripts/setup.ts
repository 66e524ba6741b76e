// The development set-up of the keys: Groth16's two phases with public randomness.
//
// Both contributions are beacons over fixed phrases, so that anyone can remake the proving key bit for bit. It
// also means that anyone can compute the trapdoor and forge proofs: good for a devnet and for tests, and only
// for that. docs/security/rln.md says how to use the keys of a public ceremony instead.
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as snarkjs from 'snarkjs'

export const SETUP_WARNING =
  'DEVELOPMENT ONLY: made from public randomness, so anyone can forge proofs under these keys'

// 2^10 hash iterations, the least that the file format allows: a delay function protects nothing here.
const BEACON_ITERATIONS_EXP = 10

export type Contribution = { name: string; phrase: string; beacon: string }

export const PHASE_1 = contribution('phase 1', 'postrider development set-up, phase 1: powers of tau')
export const PHASE_2 = contribution(
  'phase 2',
  'postrider development set-up, phase 2: rate-limiting nullifier',
)

function contribution(phase: string, phrase: string): Contribution {
  return {
    name: `${phase}, ${SETUP_WARNING}`,
    phrase,
    beacon: createHash('sha256').update(phrase).digest('hex'),
  }
}

export type Keys = { zkey: Uint8Array; verificationKey: Record<string, unknown> }

/** Takes minutes; `progress` is told what starts. */
export async function setUp(
  r1cs: Uint8Array,
  power: number,
  progress: (step: string) => void,
): Promise<Keys> {
  const dir = await mkdtemp(join(tmpdir(), 'postrider-setup-'))
  const curve = await snarkjs.curves.getCurveFromName('bn128')
  const file = (name: string) => join(dir, name)
  try {
    await writeFile(file('r1cs'), r1cs)
    progress(`powers of tau, 2^${power}`)
    await snarkjs.powersOfTau.newAccumulator(curve, power, file('tau0'))
    await snarkjs.powersOfTau.beacon(file('tau0'), file('tau1'), ...beaconArguments(PHASE_1))
    progress('Lagrange form of the powers of tau')
    await snarkjs.powersOfTau.preparePhase2(file('tau1'), file('ptau'))

    progress('keys of the circuit')
    await snarkjs.zKey.newZKey(file('r1cs'), file('ptau'), file('zkey0'))
    await snarkjs.zKey.beacon(file('zkey0'), file('zkey'), ...beaconArguments(PHASE_2))
    progress('checking the keys against the circuit')
    const sound = await snarkjs.zKey.verifyFromR1cs(file('r1cs'), file('ptau'), file('zkey'))
    if (!sound) throw new Error('the proving key does not belong to the circuit')
    return {
      zkey: await readFile(file('zkey')),
      verificationKey: await snarkjs.zKey.exportVerificationKey(file('zkey')),
    }
  } finally {
    await curve.terminate()
    await rm(dir, { recursive: true, force: true })
  }
}

function beaconArguments({ name, beacon }: Contribution): [string, string, number] {
  return [name, beacon, BEACON_ITERATIONS_EXP]
}

export async function exportVerificationKey(zkeyPath: string): Promise<Record<string, unknown>> {
  const curve = await snarkjs.curves.getCurveFromName('bn128')
  try {
    return await snarkjs.zKey.exportVerificationKey(zkeyPath)
  } finally {
    await curve.terminate()
  }
}
