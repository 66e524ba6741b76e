// The prover in a real worker thread.
import { afterAll, describe, expect, it } from 'vitest'
import { expectedSignals, memberInputs } from '../../circuits/testing/member.ts'
import { createWorkerProver as createWebWorkerProver } from '../browser/prover.ts'
import { createWorkerProver } from '../node/prover.ts'
import type { ProverProgress } from '../rln/types.ts'

const engine = createWorkerProver()
afterAll(() => engine.close())

/** Collects progress; `at` is called with each. */
function collect(at: (progress: ProverProgress) => void = () => {}) {
  const seen: ProverProgress[] = []
  const onProgress = (progress: ProverProgress) => {
    seen.push(progress)
    at(progress)
  }
  return { seen, onProgress }
}

describe('the prover in a worker', () => {
  it('tells how loading and proving go on', async () => {
    const { seen, onProgress } = collect()
    const { proof, signals } = await engine.prove(memberInputs(), { onProgress })
    expect(await engine.verify(proof, signals)).toBe(true)
    expect([...new Set(seen.map(({ stage }) => stage))]).toEqual(['preparing', 'proving'])
    const shares = seen.filter(({ stage }) => stage === 'proving').map(({ done }) => done)
    expect(shares).toEqual(shares.toSorted((a, b) => a - b))
    expect(shares.length).toBeGreaterThan(3)
    // A bar that shows it must fill up.
    expect(shares.at(-1)).toBe(1)
    expect(seen.findLast(({ stage }) => stage === 'preparing')?.done).toBe(1)
  })

  it('warms up for a member, so that its first proof takes no more steps than the next', async () => {
    const { messageId, x, externalNullifier, ...member } = memberInputs({ identitySecret: 9n })
    const steps = async () => {
      const { seen, onProgress } = collect()
      await engine.prove({ ...member, messageId, x, externalNullifier }, { onProgress })
      return seen.length
    }
    await engine.warm(member)
    const first = await steps()
    expect(first).toBe(await steps())
    await engine.warm({ ...member, identitySecret: 10n })
    expect(await steps()).toBeGreaterThan(first)
  })

  it('stops the work when it is aborted, and keeps its keys', async () => {
    const stop = new AbortController()
    const { onProgress } = collect(() => stop.abort())
    const options = { signal: stop.signal, onProgress }
    // Another member each time: a second or more of work, of which the abort leaves the end undone.
    const proofs = [5n, 6n, 7n].map((secret) =>
      engine.prove(memberInputs({ identitySecret: secret }), options),
    )
    const outcomes = await Promise.allSettled(proofs)
    expect(outcomes.at(-1)).toMatchObject({ reason: { code: 'CLIENT_ABORTED' } })
    const next = collect()
    await engine.prepare({ onProgress: next.onProgress })
    expect(next.seen).toEqual([])
  })

  it('makes all but the last step ahead, with fresh randomness each time', async () => {
    const { x, ...rest } = memberInputs({ messageId: 4 })
    const proofs: Uint8Array[] = []
    for (let round = 0; round < 2; round++) {
      const prepared = await engine.proveAhead(rest)
      const { seen, onProgress } = collect()
      const { proof, signals } = await prepared.complete(x, { onProgress })
      expect(seen).toEqual([])
      expect(signals).toEqual(expectedSignals({ ...rest, x }))
      expect(await engine.verify(proof, signals)).toBe(true)
      await expect(prepared.complete(x)).rejects.toMatchObject({ code: 'CIRCUITS_PREPARED_USED' })
      proofs.push(proof)
    }
    expect(proofs[0]).not.toEqual(proofs[1])
  })

  it('gives up a proof made ahead', async () => {
    const { x, ...rest } = memberInputs()
    const prepared = await engine.proveAhead(rest)
    prepared.drop()
    await expect(prepared.complete(x)).rejects.toMatchObject({ code: 'CIRCUITS_PREPARED_USED' })
    const stop = new AbortController()
    const options = { signal: stop.signal, onProgress: () => stop.abort() }
    const [, last] = await Promise.allSettled([rest, rest].map((one) => engine.proveAhead(one, options)))
    expect(last).toMatchObject({ reason: { code: 'CLIENT_ABORTED' } })
  })

  it('takes no keys from a server without the hash of their manifest', () => {
    for (const manifestSha256 of [undefined, '', 'xyz', `0x${'1'.repeat(64)}`]) {
      const source = { url: 'https://keys.example', manifestSha256: manifestSha256 as string }
      const invalid = expect.objectContaining({ code: 'CLIENT_OPTION_INVALID' })
      for (const create of [createWorkerProver, createWebWorkerProver]) {
        expect(() => create(source)).toThrow(invalid)
      }
    }
  })

  it('loads again after a failure, and says what failed', async () => {
    const broken = createWorkerProver({ dir: import.meta.dirname })
    for (let round = 0; round < 2; round++) {
      await expect(broken.prepare()).rejects.toMatchObject({ code: 'CIRCUITS_ARTIFACT_MISSING' })
    }
    await broken.close()
    await expect(broken.prepare()).rejects.toMatchObject({ code: 'CLIENT_CLOSED' })
  })
})
