import type { VerificationKey } from '@postrider/circuits/engine'
import { afterEach, describe, expect, it } from 'vitest'
import { silentLogger } from '../core/logger.ts'
import { createMetrics, type Metrics } from '../core/metrics.ts'
import { SCRIPT, type ScriptedKey } from './testing/scripted-worker.ts'
import type { ProofVerifier, Service } from './types.ts'
import { createProofVerifier } from './verifier.ts'

const entry = new URL('./testing/scripted-worker.ts', import.meta.url)
const signals = [1n, 2n, 3n, 4n, 5n]
const proof = (script: number) => new Uint8Array([script])

type Setup = { verifier: ProofVerifier & Service; metrics: Metrics; open(): void; exits(): number }
const stops: (() => Promise<void>)[] = []

afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()))
})

/** A verifier on the scripted worker, its gate closed: nothing is checked before `open`. */
function setup(options: { queueLimit?: number; workers?: number; failStart?: boolean } = {}): Setup {
  const gate = new Int32Array(new SharedArrayBuffer(8))
  const key: ScriptedKey = { gate, failStart: options.failStart ?? false }
  const metrics = createMetrics()
  const verifier = createProofVerifier({
    ...options,
    verificationKey: key as unknown as VerificationKey,
    logger: silentLogger,
    metrics,
    entry,
  })
  const open = () => {
    Atomics.store(gate, 0, 1)
    Atomics.notify(gate, 0)
  }
  stops.push(async () => {
    open()
    await verifier.stop()
  })
  return { verifier, metrics, open, exits: () => Atomics.load(gate, 1) }
}

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'resolved',
    (error: { code: string }) => error.code,
  )

describe('createProofVerifier', () => {
  it('answers each proof with its own verdict', async () => {
    const { verifier, open } = setup()
    open()
    await verifier.start()
    const scripts = [1, 0, 1, 1, 0, 0, 1]
    const verdicts = await Promise.all(scripts.map((script) => verifier.verify(proof(script), signals)))
    expect(verdicts).toEqual(scripts.map((script) => script === 1))
  })

  it('checks a lone proof at once and lets batches form while the worker is busy', async () => {
    const { verifier, metrics, open } = setup()
    await verifier.start()
    const waiting = Array.from({ length: 101 }, (_, i) => verifier.verify(proof(1), signals, `peer-${i}`))
    open()
    await Promise.all(waiting)
    // 1 at once, then the hundred that arrived meanwhile: 64 and 36.
    const text = await metrics.text()
    expect(text).toContain('postrider_zk_verify_batch_size_count{apart="false"} 3')
    expect(text).toContain('postrider_zk_verify_batch_size_bucket{le="1",apart="false"} 1')
    expect(text).toContain('postrider_zk_verdict_total{verdict="valid"} 101')
  })

  it('refuses when full, and says so before it is asked', async () => {
    const { verifier, open } = setup({ queueLimit: 2 })
    await verifier.start()
    const inFlight = verifier.verify(proof(1), signals, 'first')
    const waiting = [verifier.verify(proof(1), signals), verifier.verify(proof(1), signals, 'peer')]
    expect(verifier.canAccept()).toBe(false)
    await expect(verifier.verify(proof(1), signals, 'late')).rejects.toMatchObject({
      code: 'ZK_QUEUE_FULL',
      retryable: true,
    })
    open()
    expect(await Promise.all([inFlight, ...waiting])).toEqual([true, true, true])
    expect(verifier.canAccept()).toBe(true)
  })

  it('leaves room for others when one source sends too much', async () => {
    const { verifier, open } = setup({ queueLimit: 8 })
    await verifier.start()
    const loud = Array.from({ length: 6 }, () => codeOf(verifier.verify(proof(1), signals, 'loud')))
    const quiet = verifier.verify(proof(1), signals, 'quiet')
    open()
    expect(await quiet).toBe(true)
    const codes = await Promise.all(loud)
    expect(codes.filter((code) => code === 'ZK_SOURCE_BUDGET').length).toBe(3)
  })

  it('survives a worker that dies: the batch is checked again by the next worker', async () => {
    const { verifier, metrics, open, exits } = setup()
    open()
    await verifier.start()
    const verdicts = await Promise.all([
      verifier.verify(proof(SCRIPT.exitOnce), signals),
      verifier.verify(proof(SCRIPT.valid), signals),
      verifier.verify(proof(SCRIPT.invalid), signals),
    ])
    expect(verdicts).toEqual([false, true, false])
    expect(exits()).toBe(1)
    expect(await metrics.text()).toContain('postrider_zk_verify_worker_restarts_total 1')
  })

  it('fails a proof that kills every worker, retryably, and goes on', async () => {
    const { verifier, open, exits } = setup()
    open()
    await verifier.start()
    await expect(verifier.verify(proof(SCRIPT.exit), signals)).rejects.toMatchObject({
      code: 'ZK_WORKER_FAILED',
      retryable: true,
    })
    expect(exits()).toBe(2)
    expect(await verifier.verify(proof(1), signals)).toBe(true)
  })

  it('fails retryably what a worker throws at, and trusts no worker that threw', async () => {
    const { verifier, open, metrics } = setup()
    open()
    await verifier.start()
    await expect(verifier.verify(proof(SCRIPT.error), signals)).rejects.toMatchObject({
      code: 'ZK_WORKER_FAILED',
    })
    expect(await verifier.verify(proof(1), signals)).toBe(true)
    expect(await metrics.text()).toContain('postrider_zk_verify_worker_restarts_total 2')
  })

  it('gives up on workers that never start', async () => {
    const { verifier } = setup({ failStart: true })
    await expect(verifier.start()).rejects.toMatchObject({ code: 'ZK_WORKER_FAILED' })
    expect(verifier.canAccept()).toBe(false)
    await expect(verifier.verify(proof(1), signals)).rejects.toMatchObject({ code: 'ZK_WORKER_FAILED' })
  })

  it('stops cleanly: what waits and what runs is refused retryably', async () => {
    const { verifier } = setup()
    await expect(verifier.verify(proof(1), signals)).rejects.toMatchObject({ code: 'ZK_STOPPED' })
    await verifier.start()
    const codes = Promise.all([1, 1, 1].map((script) => codeOf(verifier.verify(proof(script), signals))))
    await verifier.stop()
    expect(await codes).toEqual(['ZK_STOPPED', 'ZK_STOPPED', 'ZK_STOPPED'])
    expect(verifier.canAccept()).toBe(false)
  })

  it('spreads work over several workers', async () => {
    const { verifier, open } = setup({ workers: 2 })
    open()
    await verifier.start()
    const verdicts = Array.from({ length: 200 }, (_, i) =>
      verifier.verify(proof(i % 2), signals, `p${i % 7}`),
    )
    expect(await Promise.all(verdicts)).toEqual(Array.from({ length: 200 }, (_, i) => i % 2 === 1))
  })
})
