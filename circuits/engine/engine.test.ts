// Prover and verifier together: what is proved verifies, what is touched does not, and nothing keeps running.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { type Artifacts, loadArtifacts } from '../index.ts'
import { expectedSignals, memberInputs } from '../testing/member.ts'
import { verifyWithSnarkjs } from '../testing/reference.ts'
import { BASE_MODULUS, PROOF_BYTES, SCALAR_MODULUS } from './constants.ts'
import {
  createProver,
  createVerifier,
  type ProveResult,
  type Prover,
  type RlnInputs,
  type Verifier,
} from './index.ts'

let artifacts: Artifacts
let prover: Prover
let verifier: Verifier
let proved: ProveResult

beforeAll(async () => {
  artifacts = await loadArtifacts()
  prover = createProver(artifacts)
  verifier = createVerifier(artifacts.verificationKey)
  proved = await prover.prove(memberInputs())
})

afterAll(async () => {
  await prover.close()
  await verifier.close()
})

describe('prove and verify', () => {
  it('round trip', async () => {
    expect(proved.proof).toHaveLength(PROOF_BYTES)
    expect(proved.signals).toEqual(expectedSignals(memberInputs()))
    expect(await verifier.verify(proved.proof, proved.signals)).toBe(true)
  })

  it('proves the same statement with fresh randomness', async () => {
    const again = await prover.prove(memberInputs())
    expect(again.signals).toEqual(proved.signals)
    expect(again.proof).not.toEqual(proved.proof)
    expect(await verifier.verify(again.proof, again.signals)).toBe(true)
  })

  it('proves ahead of the message what it proves at once', async () => {
    const { x, ...rest } = memberInputs({ messageId: 7, externalNullifier: 31n })
    for (const message of [x, 1n, 2n, SCALAR_MODULUS - 1n]) {
      const prepared = await prover.proveAhead(rest)
      const result = await prepared.prove(message)
      expect(result.signals).toEqual(expectedSignals({ ...rest, x: message }))
      expect(await verifier.verify(result.proof, result.signals)).toBe(true)
      expect(await verifyWithSnarkjs(artifacts.verificationKey, result.proof, result.signals)).toBe(true)
    }
  })

  it('uses a prepared proof once, whatever came of it', async () => {
    const { x, ...rest } = memberInputs()
    const prepared = await prover.proveAhead(rest)
    await expect(prepared.prove(0n)).rejects.toMatchObject({ code: 'CIRCUITS_INPUT_INVALID' })
    await expect(prepared.prove(x)).rejects.toMatchObject({ code: 'CIRCUITS_PREPARED_USED' })
  })

  it('refuses every signal that is not the proved one', async () => {
    for (let i = 0; i < proved.signals.length; i++) {
      const signal = proved.signals[i]!
      for (const other of [signal + 1n, 0n, signal + SCALAR_MODULUS, -1n]) {
        expect(await verifier.verify(proved.proof, proved.signals.with(i, other)), `signal ${i}`).toBe(false)
      }
    }
    expect(await verifier.verify(proved.proof, proved.signals.slice(1))).toBe(false)
    expect(await verifier.verify(proved.proof, [...proved.signals, 0n])).toBe(false)
  })

  it('refuses a proof with any coordinate changed, infinite, not reduced, or of a wrong length', async () => {
    const bad: Uint8Array[] = [new Uint8Array(0), proved.proof.slice(1), new Uint8Array(PROOF_BYTES)]
    for (let offset = 31; offset < PROOF_BYTES; offset += 32) {
      const flipped = proved.proof.slice()
      flipped[offset]! ^= 1
      bad.push(flipped)
    }
    for (const point of [
      [0, 64],
      [64, 192],
      [192, 256],
    ] as const)
      bad.push(proved.proof.slice().fill(0, ...point))
    bad.push(withCoordinate(proved.proof, 0, BASE_MODULUS), proved.proof.slice().fill(0xff))
    for (const proof of bad) expect(await verifier.verify(proof, proved.signals)).toBe(false)
  })

  it('reports inputs without a witness and stays usable', async () => {
    await expect(prover.prove(memberInputs({ messageId: 10 }))).rejects.toMatchObject({
      code: 'CIRCUITS_INPUT_INVALID',
    })
    expect(await verifier.verify(proved.proof, proved.signals)).toBe(true)
  })

  it('can be aborted before it starts', async () => {
    await expect(prover.prove(memberInputs(), { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'CIRCUITS_PROVE_ABORTED',
    })
  })

  it('reports progress and can be aborted in the middle', async () => {
    const seen: number[] = []
    await prover.prove(memberInputs(), { onProgress: (done) => seen.push(done) })
    expect(seen.length).toBeGreaterThan(2)
    expect(seen).toEqual(seen.toSorted((a, b) => a - b))
    const abort = new AbortController()
    const aborted = prover.prove(memberInputs(), { signal: abort.signal, onProgress: () => abort.abort() })
    await expect(aborted).rejects.toMatchObject({ code: 'CIRCUITS_PROVE_ABORTED' })
    const next = await prover.prove(memberInputs({ x: 5n }))
    expect(await verifier.verify(next.proof, next.signals)).toBe(true)
  })

  it('stops at the step at which it is aborted, also between two members', async () => {
    for (const steps of [1, 4]) {
      const abort = new AbortController()
      const seen: number[] = []
      const onProgress = (done: number) => {
        if (seen.push(done) === steps) abort.abort()
      }
      // Another member: the work begins with sums of its own, which the abort leaves half made.
      const other = memberInputs({ identitySecret: 77n, messageId: steps })
      const aborted = prover.prove(other, { signal: abort.signal, onProgress })
      await expect(aborted).rejects.toMatchObject({ code: 'CIRCUITS_PROVE_ABORTED' })
      expect(seen).toHaveLength(steps)
      for (const inputs of [memberInputs({ messageId: steps }), other]) {
        const { proof, signals } = await prover.prove(inputs)
        expect(signals).toEqual(expectedSignals(inputs))
        expect(await verifier.verify(proof, signals)).toBe(true)
      }
      // Far from the one that is aborted next.
      await prover.prepare(memberInputs())
    }
  })

  it('keeps nothing of one member in the proof of another', async () => {
    // Each is another distance from the one before: message, epoch, tree, limit, identity.
    const sequence: Partial<RlnInputs>[] = [
      { x: 9n },
      { externalNullifier: 1n, messageId: 9 },
      { pathElements: memberInputs().pathElements.with(19, 5n) },
      { userMessageLimit: 65_535, messageId: 65_534 },
      { identitySecret: SCALAR_MODULUS - 1n },
      { identitySecret: 1n, identityPathIndex: new Array(20).fill(1) },
      {},
    ]
    const fresh = createProver(artifacts)
    await fresh.prepare(memberInputs())
    for (const changes of sequence) {
      const inputs = memberInputs(changes)
      const { proof, signals } = await fresh.prove(inputs)
      expect(signals).toEqual(expectedSignals(inputs))
      expect(await verifyWithSnarkjs(artifacts.verificationKey, proof, signals)).toBe(true)
    }
    await fresh.close()
  })

  it('refuses keys that it cannot use', async () => {
    const cut = { wasm: artifacts.wasm, zkey: artifacts.zkey.subarray(0, 1000) }
    const other = { wasm: artifacts.wasm, zkey: artifacts.zkey.slice().fill(0, 0, 4) }
    for (const keys of [cut, other]) {
      const broken = createProver(keys)
      await expect(broken.ready()).rejects.toMatchObject({ code: 'CIRCUITS_KEY_INVALID' })
      await expect(broken.prove(memberInputs())).rejects.toMatchObject({ code: 'CIRCUITS_KEY_INVALID' })
      await broken.close()
    }
  })

  it('leaves no secret in any memory that it made when it is closed', async () => {
    const memories = watchMemories()
    const own = createProver(artifacts)
    const identitySecret = SCALAR_MODULUS / 3n
    await own.prove(memberInputs({ identitySecret }))
    const needle = Buffer.from(identitySecret.toString(16).padStart(64, '0'), 'hex').reverse()
    const holders = () => memories.filter(({ buffer }) => Buffer.from(buffer).includes(needle)).length
    expect(holders()).toBeGreaterThan(1)
    await own.close()
    expect(holders()).toBe(0)
  })

  it('refuses work after close', async () => {
    const closed = createVerifier(artifacts.verificationKey)
    await closed.close()
    await expect(closed.verify(proved.proof, proved.signals)).rejects.toMatchObject({
      code: 'CIRCUITS_ENGINE_CLOSED',
    })
  })

  it('lets the process exit by itself', async () => {
    const script = `
      import { loadArtifacts } from '${new URL('../index.ts', import.meta.url)}'
      import { createProver, createVerifier } from '${new URL('./index.ts', import.meta.url)}'
      import { memberInputs } from '${new URL('../testing/member.ts', import.meta.url)}'
      const artifacts = await loadArtifacts()
      const prover = createProver(artifacts)
      const verifier = createVerifier(artifacts.verificationKey)
      const { proof, signals } = await prover.prove(memberInputs())
      console.log(await verifier.verify(proof, signals))
      await prover.close()
      await verifier.close()`
    const run = promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
      timeout: 30_000,
    })
    expect((await run).stdout).toBe('true\n')
  })
})

type Memory = { readonly buffer: ArrayBuffer }
type Instantiate = (
  module: Uint8Array,
  imports?: { env?: { memory?: Memory } },
) => Promise<{ instance: { exports: { memory?: Memory } } }>

/** The memories of the WebAssembly modules that are made from now on in this test. */
function watchMemories(): Memory[] {
  const memories: Memory[] = []
  const { WebAssembly } = globalThis as unknown as { WebAssembly: { instantiate: Instantiate } }
  const { instantiate } = WebAssembly
  const spy = vi.spyOn(WebAssembly, 'instantiate').mockImplementation(async (module, imports) => {
    const made = await instantiate(module, imports)
    const memory = made.instance.exports.memory ?? imports?.env?.memory
    if (memory) memories.push(memory)
    return made
  })
  onTestFinished(() => spy.mockRestore())
  return memories
}

function withCoordinate(proof: Uint8Array, index: number, add: bigint): Uint8Array {
  const copy = Buffer.from(proof)
  const value = BigInt(`0x${copy.subarray(index * 32, index * 32 + 32).toString('hex')}`) + add
  copy.write(value.toString(16).padStart(64, '0'), index * 32, 'hex')
  return new Uint8Array(copy)
}
