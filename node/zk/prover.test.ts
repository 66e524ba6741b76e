// Real keys, real threads: a proof made by the pool is accepted by the verifier.
import { type Artifacts, loadArtifacts } from '@postrider/circuits'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { memberInputs } from '../../circuits/testing/member.ts'
import { silentLogger } from '../core/logger.ts'
import { createMetrics } from '../core/metrics.ts'
import {
  createProofVerifier,
  createProverPool,
  type ProofVerifier,
  type ProverPool,
  type Service,
} from './index.ts'

let artifacts: Artifacts
let prover: ProverPool & Service
let verifier: ProofVerifier & Service

beforeAll(async () => {
  artifacts = await loadArtifacts()
  const components = { logger: silentLogger, metrics: createMetrics() }
  prover = createProverPool({ ...components, artifacts, queueLimit: 2 })
  verifier = createProofVerifier({ ...components, verificationKey: artifacts.verificationKey })
  await Promise.all([prover.start(), verifier.start()])
})

afterAll(async () => {
  await Promise.all([prover?.stop(), verifier?.stop()])
})

describe('createProverPool', () => {
  it('proves what the verifier pool accepts', async () => {
    const { proof, signals } = await prover.prove(memberInputs())
    expect(await verifier.verify(proof, signals, 'peer')).toBe(true)
    expect(await verifier.verify(proof, signals.with(0, 1n), 'peer')).toBe(false)
    proof[40]! ^= 1
    expect(await verifier.verify(proof, signals, 'peer')).toBe(false)
  })

  it('hands the coded error of bad inputs to the caller', async () => {
    await expect(prover.prove(memberInputs({ messageId: 10 }))).rejects.toMatchObject({
      code: 'CIRCUITS_INPUT_INVALID',
      data: { input: 'messageId' },
    })
  })

  it('refuses when its queue is full and aborts what waits', async () => {
    const running = prover.prove(memberInputs())
    const abort = new AbortController()
    const waiting = [1, 2].map((x) => prover.prove(memberInputs({ x: BigInt(x) }), { signal: abort.signal }))
    await expect(prover.prove(memberInputs())).rejects.toMatchObject({ code: 'ZK_QUEUE_FULL' })
    abort.abort()
    for (const job of waiting) await expect(job).rejects.toMatchObject({ code: 'CIRCUITS_PROVE_ABORTED' })
    const { proof, signals } = await running
    expect(await verifier.verify(proof, signals)).toBe(true)
  })

  it('refuses an aborted signal and, once stopped, everything', async () => {
    await expect(prover.prove(memberInputs(), { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'CIRCUITS_PROVE_ABORTED',
    })
    const running = prover.prove(memberInputs()).catch((error: { code: string }) => error.code)
    await prover.stop()
    expect(await running).toBe('ZK_STOPPED')
    await expect(prover.prove(memberInputs())).rejects.toMatchObject({ code: 'ZK_STOPPED' })
    await prover.start()
    expect(await prover.prove(memberInputs())).toHaveProperty('proof')
  })
})
