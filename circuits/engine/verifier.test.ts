// The verifier against snarkjs and against itself: one by one and in batches, on good proofs and every bad kind.
import { randomInt } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Artifacts, loadArtifacts } from '../index.ts'
import {
  ALL_ROUNDS,
  type Case,
  corruptions,
  multiplyG2,
  rerandomize,
  SMALL_ORDER,
  seededRandom,
  smallOrderPoint,
  twistPoint,
} from '../testing/corrupt.ts'
import { memberInputs } from '../testing/member.ts'
import { verifyWithSnarkjs } from '../testing/reference.ts'
import { decodeProofStrictly, encodeProof } from './codec.ts'
import { SCALAR_MODULUS } from './constants.ts'
import { isInG2, isOnTwist } from './field.ts'
import {
  createProver,
  createVerifier,
  type PointG2,
  type ProveResult,
  type VerificationKey,
  type Verifier,
} from './index.ts'
import { createKernel } from './kernel/kernel.ts'
import { createUntrustedPoints } from './pairing/untrusted-points.ts'
import { createPoints } from './prover/points.ts'

/** Rounds over all kinds of damage: each byte, coordinate and signal once; in the soak ten times, each time others. */
const isSoak = process.env.POSTRIDER_SOAK === '1'
const ROUNDS = ALL_ROUNDS * (isSoak ? 10 : 1)
/** Half a minute of work, ten times that in the soak; busy machines take several times as long. */
const ROUNDS_TIMEOUT_MS = isSoak ? 3_600_000 : 600_000
const SEED = isSoak ? randomInt(2 ** 31) : 1

const ORIGIN = { x: 0n, y: 0n }

let artifacts: Artifacts
let verifier: Verifier
let proofs: ProveResult[]

beforeAll(async () => {
  artifacts = await loadArtifacts()
  verifier = createVerifier(artifacts.verificationKey)
  const prover = createProver(artifacts)
  proofs = []
  for (const [i, x] of [11n, 22n, 33n].entries()) {
    proofs.push(await prover.prove(memberInputs({ x, messageId: i })))
  }
  await prover.close()
})
afterAll(() => verifier.close())

/** Bytes and signals are canonical, B is in G2, and snarkjs finds the equation to hold. */
async function expectedVerdict({ proof, signals }: Case): Promise<boolean> {
  if (!(await verifyWithSnarkjs(artifacts.verificationKey, proof, signals))) return false
  return decodeProofStrictly(proof) !== undefined && signals.every((s) => s >= 0n && s < SCALAR_MODULUS)
}

describe('verifier', () => {
  it(
    'agrees with snarkjs on every kind of proof, alone and in mixed batches',
    async () => {
      const random = seededRandom(SEED)
      for (let round = 0; round < ROUNDS; round++) {
        const one = proofs[round % 3]!
        const cases = corruptions(one, proofs[(round + 1) % 3]!, random, round)
        const expected: [string, boolean][] = []
        for (const each of cases) expected.push([each.name, await expectedVerdict(each)])
        const single: [string, boolean][] = []
        for (const each of cases) single.push([each.name, await verifier.verify(each.proof, each.signals)])
        expect(single, `seed ${SEED}, round ${round}`).toEqual(expected)
        const batch = await verifier.verifyBatch(cases)
        expect(
          cases.map(({ name }, i) => [name, batch[i]]),
          `seed ${SEED}, round ${round}`,
        ).toEqual(expected)
      }
    },
    ROUNDS_TIMEOUT_MS,
  )

  it('finds exactly the bad ones wherever they are, in batches of any size', async () => {
    const random = seededRandom(2)
    const good = Array.from({ length: 67 }, (_, i) => ({
      proof: rerandomize(proofs[i % 3]!.proof, random),
      signals: proofs[i % 3]!.signals,
    }))
    const spoil = (item: (typeof good)[number]) => ({ ...item, signals: item.signals.with(0, 1n) })
    for (const size of [1, 2, 3, 8, 9, 17, 64, 67]) {
      for (const share of size < 20 ? [0, 1 / size, 0.5, 1] : [0, 1 / size, 0.1]) {
        const bad = good.slice(0, size).map(() => random(1000) < share * 1000)
        const items = good.slice(0, size).map((item, i) => (bad[i] ? spoil(item) : item))
        expect(await verifier.verifyBatch(items), `${size} ${share}`).toEqual(bad.map((each) => !each))
      }
    }
  }, 300_000)

  it('is not fooled by errors that cancel in an unweighted product', async () => {
    // A and -A in two proofs: the product of both left sides is what it should be, each alone is not.
    const [one, two] = [proofs[0]!, proofs[1]!]
    const swapped = [
      { proof: one.proof, signals: two.signals },
      { proof: two.proof, signals: one.signals },
    ]
    expect(await verifier.verifyBatch(swapped)).toEqual([false, false])
  })

  it('takes an empty batch', async () => {
    expect(await verifier.verifyBatch([])).toEqual([])
  })

  it.each<[string, Partial<VerificationKey>]>([
    ['another curve', { curve: 'bls12381' }],
    ['another number of signals', { nPublic: 4 }],
    ['a missing point', { IC: [] }],
    ['a point off the curve', { vk_alpha_1: ['1', '1', '1'] }],
    ['text', { vk_alpha_1: ['one', 'two', '1'] }],
    ['an unreduced coordinate', { vk_alpha_1: ['1', `${2n ** 254n + 2n}`, '1'] }],
    ['no coordinates', { vk_gamma_2: [] }],
  ])('refuses a key with %s', async (_, changes) => {
    const bad = createVerifier({ ...artifacts.verificationKey, ...changes })
    await expect(bad.ready()).rejects.toMatchObject({ code: 'CIRCUITS_KEY_INVALID' })
    await expect(bad.verify(proofs[0]!.proof, proofs[0]!.signals)).rejects.toMatchObject({
      code: 'CIRCUITS_KEY_INVALID',
    })
  })
})

describe('G2 membership', () => {
  it('by endomorphism is what it is by definition', async () => {
    const kernel = await createKernel()
    const points = createUntrustedPoints(kernel, createPoints(kernel))
    const at = kernel.reserve(2 * kernel.g2.size)
    const encode = ({ x, y }: PointG2) => encodeProof({ a: ORIGIN, b: { x, y }, c: ORIGIN }).subarray(64, 192)
    const random = seededRandom(3)
    const cofactor =
      2n * 21888242871839275222246405745257275088696311157297823662689037894645226208583n - SCALAR_MODULUS
    for (let i = 0; i < 12; i++) {
      const outside = twistPoint(random)
      const small = smallOrderPoint(random)
      const inside = multiplyG2(outside, cofactor)
      for (const [point, expected] of [
        [outside, false],
        [small, false],
        [inside, true],
      ] as const) {
        expect(isOnTwist(point)).toBe(true)
        expect(isInG2(point)).toBe(expected)
        expect(points.setG2(at, encode(point))).toBe(expected)
      }
      expect(multiplyG2(small, SMALL_ORDER - 1n).x).toEqual(small.x)
    }
  })
})
