import {
  createMembershipTree,
  identityFromSecret,
  idRange,
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
import { openDatabase } from '../core/db/index.ts'
import { createTempDir } from '../core/testing/temp-dir.ts'
import { CONTENT_TOPIC, network, TOPIC } from '../relay/testing/messages.ts'
import { MAX_REMEMBERED_PROOFS, MESSAGE_ID_EPOCHS } from './constants.ts'
import { createMessageIds } from './message-ids.ts'
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

describe('message ids', () => {
  const open = async (path: string, range = idRange(limit)) => {
    const database = await openDatabase(path)
    return {
      ids: createMessageIds(database, { commitment: identity.commitment, range }),
      close: database.close,
    }
  }

  it('gives each id once in an epoch, also across a restart', async () => {
    await using dir = await createTempDir()
    const first = await open(dir.file('node.db'))
    expect(await first.ids.allocate(7n)).toBe(0)
    expect(await first.ids.allocate(7n)).toBe(1)
    expect(await first.ids.remaining(7n)).toBe(1)
    expect(await first.ids.remaining(8n)).toBe(3)
    expect(await first.ids.remaining(6n)).toBe(3)
    await first.close()
    const second = await open(dir.file('node.db'))
    expect(await second.ids.allocate(7n)).toBe(2)
    await expect(second.ids.allocate(7n)).rejects.toMatchObject({ code: 'RLN_IDS_EXHAUSTED' })
    expect(await second.ids.allocate(8n)).toBe(0)
    await expect(second.ids.allocate(7n)).rejects.toMatchObject({ code: 'RLN_IDS_EXHAUSTED' })
    await second.close()
  })

  it('lets a client whose clock is ahead not end the epoch for the others', async () => {
    await using dir = await createTempDir()
    const { ids, close } = await open(dir.file('node.db'))
    expect(await ids.allocate(7n)).toBe(0)
    expect(await ids.allocate(9n)).toBe(0)
    expect(await ids.allocate(7n)).toBe(1)
    expect(await ids.allocate(8n)).toBe(0)
    await close()
  })

  it('gives no id of an epoch about which it may have forgotten something', async () => {
    await using dir = await createTempDir()
    const first = await open(dir.file('node.db'))
    for (let epoch = 1n; epoch <= 20n; epoch++) expect(await first.ids.allocate(epoch)).toBe(0)
    await first.close()
    const { ids, close } = await open(dir.file('node.db'))
    const oldest = 21n - BigInt(MESSAGE_ID_EPOCHS)
    expect(await ids.allocate(oldest)).toBe(1)
    await expect(ids.allocate(oldest - 1n)).rejects.toMatchObject({ code: 'RLN_EPOCH_PASSED' })
    expect(await ids.remaining(oldest - 1n)).toBe(0)
    await close()
  })

  it('gives concurrent requests different ids', async () => {
    await using dir = await createTempDir()
    const { ids, close } = await open(dir.file('node.db'))
    const results = await Promise.allSettled(Array.from({ length: 5 }, () => ids.allocate(7n)))
    const given = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    expect(given.sort()).toEqual([0, 1, 2])
    await close()
  })

  it('stays in the range of this device, also when the range was moved', async () => {
    await using dir = await createTempDir()
    const wide = await open(dir.file('node.db'), idRange(10, 2, 3))
    expect(await wide.ids.allocate(7n)).toBe(2)
    expect(await wide.ids.allocate(7n)).toBe(3)
    await wide.close()
    const moved = await open(dir.file('node.db'), idRange(10, 3, 4))
    expect(await moved.ids.allocate(7n)).toBe(4)
    await moved.close()
  })
})
