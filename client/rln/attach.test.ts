import { PostriderError } from '@postrider/protocol/errors'
import {
  createIdentity,
  decodeRlnProof,
  epochAt,
  externalNullifier,
  idRange,
  precheck,
  publicSignals,
  TREE_DEPTH,
} from '@postrider/protocol/rln'
import {
  createWakuMessage,
  encode,
  msToTimestamp,
  pubsubTopic,
  WakuMessageSchema,
} from '@postrider/protocol/wire'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createWorkerProver } from '../node/prover.ts'
import { createMemoryStorage } from '../storage/memory.ts'
import { createManualClock } from '../testing/clock.ts'
import { createAheadProver } from './ahead.ts'
import { openIdAllocator } from './allocator.ts'
import { inputsFor, type ProvingParts, proveMessage } from './attach.ts'
import { AHEAD_CHECK_MS } from './constants.ts'
import { createMembers } from './members.ts'

const nowMs = 1_700_000_000_000
const topic = pubsubTopic(66, 0)
const network = {
  name: 'test',
  chainId: 31337,
  rpcUrls: [],
  contracts: { token: '0x', nodeRegistry: '0x', paymentChannels: '0x', rlnMembership: '0x' },
  deployBlock: 0,
  networkId: 'test',
  clusterId: 66,
  shardCount: 1,
  epochSeconds: 10,
  bootstrap: [],
} as const
const epoch = epochAt(nowMs, network.epochSeconds)
const identity = createIdentity((length) => new Uint8Array(length).fill(3))
const message = () =>
  createWakuMessage({
    payload: Uint8Array.of(1, 2),
    contentTopic: '/app/1/chat/bytes',
    timestamp: msToTimestamp(nowMs),
  })
const engine = createWorkerProver()
let parts: ProvingParts

beforeAll(async () => {
  const members = createMembers()
  members.apply([
    { index: 0, commitment: 5n, limit: 1 },
    { index: 1, commitment: identity.commitment, limit: 2 },
  ])
  const range = idRange(2)
  const allocator = await openIdAllocator(createMemoryStorage(), {
    commitment: identity.commitment,
    range,
    epoch,
  })
  parts = { engine, allocator, identity, members, network: { ...network, rpcUrls: [], bootstrap: [] } }
})
afterAll(() => engine.close())

it('makes a message that passes every check of a node, proof included', async () => {
  const proven = await proveMessage(parts, topic, message())
  expect(proven).toMatchObject({ epoch: 170_000_000n, messageId: 0, remaining: 1 })
  const bytes = encode(WakuMessageSchema, proven.message)
  const rootKnown = (root: bigint) => parts.members.isKnownRoot(root)
  const checked = precheck(bytes, topic, { ...network, nowMs, rootKnown })
  expect(checked.ok).toBe(true)
  const proof = decodeRlnProof(proven.message.rateLimitProof!)
  const nullifier = externalNullifier({ epoch: proof.epoch, networkId: 'test', pubsubTopic: topic })
  expect(await engine.verify(proof.proof, publicSignals(proof, nullifier))).toBe(true)
  expect(await engine.verify(proof.proof, publicSignals(proof, nullifier + 1n))).toBe(false)
})

it('publishes after a pause with a proof made ahead: no step is left, and the id is taken only then', async () => {
  const storage = createMemoryStorage()
  const range = idRange(2)
  const allocator = await openIdAllocator(storage, { commitment: identity.commitment, range, epoch })
  const clock = createManualClock()
  const made = Promise.withResolvers<void>()
  const ahead = createAheadProver({
    clock,
    onError: (error) => made.reject(error),
    next: async () => inputsFor(parts, topic, epoch)?.(allocator.next(topic, epoch) ?? 0),
    engine: {
      async proveAhead(inputs, options) {
        const proof = await engine.proveAhead(inputs, options)
        setImmediate(made.resolve)
        return proof
      },
    },
  })
  const prove = async () => {
    let steps = 0
    const onProgress = () => {
      steps++
    }
    const proven = await proveMessage({ ...parts, allocator, ahead }, topic, message(), { onProgress })
    const proof = decodeRlnProof(proven.message.rateLimitProof!)
    const nullifier = externalNullifier({ epoch, networkId: 'test', pubsubTopic: topic })
    expect(await engine.verify(proof.proof, publicSignals(proof, nullifier))).toBe(true)
    return { ...proven, steps }
  }
  ahead.start()
  ahead.expect(topic)
  await clock.advance(AHEAD_CHECK_MS)
  await made.promise
  expect(allocator.remaining(topic, epoch)).toBe(2)
  expect((await storage.list('rln/ids/')).filter(({ key }) => key.includes('/topic'))).toEqual([])
  expect(await prove()).toMatchObject({ messageId: 0, remaining: 1, steps: 0 })
  const second = await prove()
  expect(second).toMatchObject({ messageId: 1, remaining: 0 })
  expect(second.steps).toBeGreaterThan(2)
  await ahead.stop()
})

it('proves again when the worker with the proof made ahead is gone', async () => {
  const allocator = await openIdAllocator(createMemoryStorage(), { commitment: 9n, range: idRange(2), epoch })
  const lost = new PostriderError('CLIENT_PROVER_FAILED')
  const ahead = { take: () => ({ complete: () => Promise.reject(lost), drop: () => undefined }) }
  const proven = await proveMessage({ ...parts, allocator, ahead }, topic, message())
  expect(proven).toMatchObject({ messageId: 0, remaining: 1 })
})

it('burns the id of a proof that was aborted', async () => {
  const stop = new AbortController()
  const late = proveMessage(parts, topic, message(), stop)
  stop.abort()
  await expect(late).rejects.toMatchObject({ code: 'CLIENT_ABORTED' })
  await expect(proveMessage(parts, topic, message())).rejects.toMatchObject({ code: 'RLN_IDS_EXHAUSTED' })
})

it('refuses without an id when the identity is no member', async () => {
  const stranger = createIdentity((length) => new Uint8Array(length).fill(4))
  const proving = proveMessage({ ...parts, identity: stranger }, topic, message())
  await expect(proving).rejects.toMatchObject({ code: 'CLIENT_RLN_NOT_MEMBER' })
})

it('refuses a proof of other inputs than were asked', async () => {
  const fake = {
    ...engine,
    prove: async () => ({ proof: new Uint8Array(256), signals: [1n, 2n, 3n, 4n, 5n] as const }),
  }
  const allocator = await openIdAllocator(createMemoryStorage(), { commitment: 1n, range: idRange(2), epoch })
  const proving = proveMessage({ ...parts, engine: fake, allocator }, topic, message())
  await expect(proving).rejects.toMatchObject({ code: 'CLIENT_PROVER_FAILED' })
})

it('has coded errors from the worker and survives a closed one', async () => {
  const inputs = {
    identitySecret: identity.secret,
    userMessageLimit: 1,
    messageId: 1,
    pathElements: Array(TREE_DEPTH).fill(0n),
    identityPathIndex: Array(TREE_DEPTH).fill(0),
    x: 1n,
    externalNullifier: 1n,
  }
  await expect(engine.prove(inputs)).rejects.toMatchObject({ code: expect.stringMatching(/^CIRCUITS_/) })
  const closed = createWorkerProver()
  await closed.prepare()
  await closed.close()
  await expect(closed.prove(inputs)).rejects.toMatchObject({ code: 'CLIENT_CLOSED' })
})
