import { loadArtifacts } from '@postrider/circuits'
import { createProver, createVerifier, type Prover, type Verifier } from '@postrider/circuits/engine'
import {
  attachProof,
  createMembershipTree,
  encodeBreach,
  epochAt,
  externalNullifier,
  identityFromSecret,
  rateCommitment,
  signalX,
  verifyBreach,
} from '@postrider/protocol/rln'
import {
  createWakuMessage,
  encode,
  msToTimestamp,
  utf8ToBytes,
  WakuMessageSchema,
} from '@postrider/protocol/wire'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Clock, systemClock } from '../core/clock.ts'
import { silentLogger } from '../core/logger.ts'
import { createMetrics } from '../core/metrics.ts'
import { tcpAddress } from '../core/p2p/testing/hosts.ts'
import { eventually } from '../core/testing/eventually.ts'
import { createProofVerifier } from '../zk/index.ts'
import { CONTENT_TOPIC, network, TOPIC } from './testing/messages.ts'
import { startNode, type TestNode } from './testing/nodes.ts'
import type { Source } from './types.ts'

const client: Source = { via: 'lightpush', peer: 'client' }
const LIMIT = 4
const member = identityFromSecret(987_654_321n)
const tree = createMembershipTree()
tree.set(7, rateCommitment(member.commitment, LIMIT))

// Time stands still while proofs are made, however slow the machine is.
const startMs = Date.now()
const clock: Clock = { ...systemClock, nowMs: () => startMs }

describe('with real proofs', () => {
  let prover: Prover
  let offline: Verifier
  const stopping: (() => Promise<void>)[] = []
  const nodes: TestNode[] = []

  beforeAll(async () => {
    const { wasm, zkey, verificationKey } = await loadArtifacts()
    prover = createProver({ wasm, zkey })
    offline = createVerifier(verificationKey)
    for (let i = 0; i < 2; i++) {
      const verifier = createProofVerifier({
        verificationKey,
        logger: silentLogger,
        metrics: createMetrics(),
      })
      await verifier.start()
      const node = await startNode({ verifier, roots: [tree.root()], clock })
      stopping.push(node.stop, verifier.stop)
      nodes.push(node)
    }
    const [first, second] = nodes as [TestNode, TestNode]
    await second.host.dial(tcpAddress(first.host))
    await eventually(() => expect(first.relay.stats().meshPeers[TOPIC]).toBe(1))
  })

  afterAll(async () => {
    await prover?.close()
    await offline?.close()
    for (const stop of stopping) await stop()
  })

  /** Proves anew at each call: the same arguments give another proof of the same statement. */
  async function prove(text: string, messageId: number, nowMs: number, tamper?: (proof: Uint8Array) => void) {
    const message = createWakuMessage({
      payload: utf8ToBytes(text),
      contentTopic: CONTENT_TOPIC,
      timestamp: msToTimestamp(nowMs),
    })
    const epoch = epochAt(nowMs, network.epochSeconds)
    const x = signalX(TOPIC, message)
    const { siblings, indices } = tree.path(7)
    const { proof, signals } = await prover.prove({
      identitySecret: member.secret,
      userMessageLimit: LIMIT,
      messageId,
      pathElements: siblings,
      identityPathIndex: indices,
      x,
      externalNullifier: externalNullifier({ epoch, networkId: network.networkId, pubsubTopic: TOPIC }),
    })
    const [y, root, nullifier] = signals
    tamper?.(proof)
    return encode(WakuMessageSchema, attachProof(message, { proof, root, epoch, x, y, nullifier }))
  }

  it('accepts, recognises a re-randomised proof, rejects a tampered one and proves a breach offline', async () => {
    const [first, second] = nodes as [TestNode, TestNode]
    const nowMs = clock.nowMs()
    const good = await prove('good', 0, nowMs)
    const rerandomised = await prove('good', 0, nowMs)
    expect(Buffer.from(rerandomised).equals(good)).toBe(false)
    expect((await first.relay.submit(TOPIC, good, client)).verdict).toEqual({ kind: 'accept' })
    await eventually(() => expect(second.received).toHaveLength(1))
    expect((await second.relay.submit(TOPIC, rerandomised, client)).verdict).toEqual({
      kind: 'ignore',
      code: 'RLN_DUPLICATE',
    })

    const tampered = await prove('tampered', 1, nowMs, (proof) => proof.reverse())
    expect((await first.relay.submit(TOPIC, tampered, client)).verdict).toEqual({
      kind: 'reject',
      code: 'RLN_PROOF_INVALID',
    })

    const spam = await prove('spam', 0, nowMs)
    expect((await second.relay.submit(TOPIC, spam, client)).verdict).toMatchObject({
      kind: 'breach',
      secret: member.secret,
      commitment: member.commitment,
    })
    await eventually(() => expect(second.breaches).toHaveLength(1))
    const [breach] = second.breaches
    if (!breach) throw new TypeError()
    const verified = await verifyBreach(encodeBreach(breach), network, (proof, signals) =>
      offline.verify(proof, signals),
    )
    expect(verified).toMatchObject({ secret: member.secret, commitment: member.commitment })
    expect(first.received).toHaveLength(1)
  })
})
