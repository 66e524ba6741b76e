import {
  createMembershipTree,
  identityFromSecret,
  precheck,
  rateCommitment,
  share,
} from '@postrider/protocol/rln'
import {
  createWakuMessage,
  encode,
  msToTimestamp,
  utf8ToBytes,
  WakuMessageSchema,
} from '@postrider/protocol/wire'
import { describe, expect, it } from 'vitest'
import { CONTENT_TOPIC, network, TOPIC } from '../relay/testing/messages.ts'
import { MAX_REMEMBERED_PROOFS } from './constants.ts'
import { createNodeProver, type ProverInputs } from './node-prover.ts'

const identity = identityFromSecret(31337n)
const nowMs = 1_700_000_000_000
const limit = 3

function setUp() {
  const tree = createMembershipTree()
  tree.set(5, rateCommitment(identity.commitment, limit))
  const proved: ProverInputs[] = []
  const events: string[] = []
  // A prover that computes what the circuit would, without the proof.
  const prover = {
    tamper: 0n,
    full: false,
    canAccept: () => !prover.full,
    async prove(inputs: ProverInputs) {
      proved.push(inputs)
      events.push('prove')
      const { y, nullifier } = share(
        inputs.identitySecret,
        inputs.externalNullifier,
        inputs.messageId,
        inputs.x,
      )
      const signals = [y + prover.tamper, tree.root(), nullifier, inputs.x, inputs.externalNullifier]
      return { proof: new Uint8Array(256), signals }
    },
  }
  const membership = { path: () => ({ ...tree.path(5), limit, root: tree.root() }) }
  const recorded = {
    async allocate(epoch: bigint) {
      const id = epoch > 0n ? 2 : 0
      events.push(`id ${id}`)
      return id
    },
    remaining: async () => limit,
  }
  const node = createNodeProver({ prover, membership, ids: recorded }, { identity, network })
  const message = createWakuMessage({
    payload: utf8ToBytes('hi'),
    contentTopic: CONTENT_TOPIC,
    timestamp: msToTimestamp(nowMs),
  })
  return { node, prover, proved, tree, message, events }
}

describe('node prover', () => {
  it('makes a message that passes the precheck of every node', async () => {
    const { node, proved, tree, message } = setUp()
    const proven = await node.attach(TOPIC, message)
    const rootKnown = (root: bigint) => root === tree.root()
    const result = precheck(encode(WakuMessageSchema, proven), TOPIC, { ...network, nowMs, rootKnown })
    expect(result.ok).toBe(true)
    expect(proved).toMatchObject([{ messageId: 2, userMessageLimit: limit }])
  })

  it('takes the message id before it proves', async () => {
    const { node, message, events } = setUp()
    await node.attach(TOPIC, message)
    expect(events).toEqual(['id 2', 'prove'])
  })

  it('takes one message id for a message that comes again, even at once', async () => {
    const { node, message, events } = setUp()
    const [first, second] = await Promise.all([node.attach(TOPIC, message), node.attach(TOPIC, message)])
    expect(second).toEqual(first)
    expect(await node.attach(TOPIC, { ...message })).toEqual(first)
    expect(events).toEqual(['id 2', 'prove'])
    await node.attach(TOPIC, { ...message, payload: utf8ToBytes('another') })
    expect(events).toEqual(['id 2', 'prove', 'id 2', 'prove'])
  })

  it('proves again what it could not prove, and what it has forgotten', async () => {
    const { node, prover, message, events } = setUp()
    prover.full = true
    await expect(node.attach(TOPIC, message)).rejects.toMatchObject({ code: 'ZK_QUEUE_FULL' })
    prover.full = false
    await node.attach(TOPIC, message)
    for (let other = 0; other < MAX_REMEMBERED_PROOFS; other++)
      await node.attach(TOPIC, { ...message, payload: Uint8Array.of(other) })
    const before = events.length
    await node.attach(TOPIC, message)
    expect(events.slice(before)).toEqual(['id 2', 'prove'])
  })

  it('uses up no message id while the prover takes no job', async () => {
    const { node, prover, message, events } = setUp()
    prover.full = true
    await expect(node.attach(TOPIC, message)).rejects.toMatchObject({
      code: 'ZK_QUEUE_FULL',
      retryable: true,
    })
    expect(events).toEqual([])
  })

  it('does not use a proof of other inputs', async () => {
    const { node, prover, message } = setUp()
    prover.tamper = 1n
    await expect(node.attach(TOPIC, message)).rejects.toMatchObject({ code: 'LIGHT_PROVER_MISMATCH' })
  })
})
