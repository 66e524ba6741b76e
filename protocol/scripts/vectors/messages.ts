import { attachProof, encodeBreach, FIELD_MODULUS, type RlnProof, verifyBreach } from '../../rln/index.ts'
import { createJudge, type VerifyProof } from '../../testing/judge.ts'
import {
  bigIntToBytes,
  concatBytes,
  create,
  encode,
  hexToBytes,
  msToTimestamp,
  pubsubTopic,
  pubsubTopicForContent,
  RateLimitProofSchema,
  type WakuMessage,
  WakuMessageSchema,
} from '../../wire/index.ts'
import {
  CHANGES,
  CONTENT_TOPIC,
  CONTEXT,
  chat,
  LIMIT,
  NETWORK,
  NOW_MS,
  SENDER_INDEX,
  TOPIC,
  tree,
} from './fixtures.ts'
import type { VectorFile } from './format.ts'
import type { ProofOf, ProofStore } from './proofs.ts'

type Step = { bytes: Uint8Array; pubsubTopic?: string; nowMs?: number; knownRoots?: bigint[] }
/** What one node receives, in this order. */
type Scenario = { name: string; steps: Step[] }
type Bytes = Uint8Array

const wire = (message: WakuMessage, proof: RlnProof): Bytes =>
  encode(WakuMessageSchema, attachProof(message, proof))
const only = (name: string, bytes: Bytes, rest: Omit<Step, 'bytes'> = {}): Scenario => ({
  name,
  steps: [{ bytes, ...rest }],
})

/** A proof with raw field bytes, as no encoder of ours writes it. */
function rawProof(message: WakuMessage, proof: RlnProof, change: Record<string, Bytes>): Bytes {
  const value = create(RateLimitProofSchema, {
    proof: proof.proof,
    merkleRoot: bigIntToBytes(proof.root, 32),
    epoch: bigIntToBytes(proof.epoch, 8),
    shareX: bigIntToBytes(proof.x, 32),
    shareY: bigIntToBytes(proof.y, 32),
    nullifier: bigIntToBytes(proof.nullifier, 32),
    ...change,
  })
  return encode(WakuMessageSchema, { ...message, rateLimitProof: encode(RateLimitProofSchema, value) })
}

async function accepted(proofOf: ProofOf): Promise<Scenario[]> {
  const message = chat('hello')
  const full = chat('with every field', { version: 2, ephemeral: true, meta: hexToBytes('6d657461') })
  const late = chat('late', { timestamp: msToTimestamp(NOW_MS - 20_000) })
  const early = chat('early', { timestamp: msToTimestamp(NOW_MS + 20_000) })
  const last = chat('last id')
  const good = wire(message, await proofOf(message))
  return [
    only('accept: a message', good),
    only('accept: every optional field', wire(full, await proofOf(full, { messageId: 1 }))),
    only('accept: 20 s old', wire(late, await proofOf(late, { messageId: 1 }))),
    only('accept: 20 s early', wire(early, await proofOf(early, { messageId: 1 }))),
    only('accept: fields in another order', await reordered(message, proofOf)),
    {
      name: 'accept: two messages with two ids',
      steps: [{ bytes: good }, { bytes: wire(last, await proofOf(last, { messageId: LIMIT - 1 })) }],
    },
  ]
}

/** Payload and content topic swapped; the rest as encoded. */
async function reordered(message: WakuMessage, proofOf: ProofOf): Promise<Bytes> {
  const bytes = wire(message, await proofOf(message))
  const payloadEnd = 2 + message.payload.length
  const topicEnd = payloadEnd + 2 + message.contentTopic.length
  return concatBytes(
    bytes.subarray(payloadEnd, topicEnd),
    bytes.subarray(0, payloadEnd),
    bytes.subarray(topicEnd),
  )
}

async function ignored(proofOf: ProofOf): Promise<Scenario[]> {
  const message = chat('hello')
  const bytes = wire(message, await proofOf(message))
  const again = wire(message, await proofOf(message, { copy: 1 }))
  return [
    only('ignore: unknown root', bytes, { knownRoots: [1n] }),
    only('ignore: 20.001 s old', bytes, { nowMs: NOW_MS + 20_001 }),
    only('ignore: 20.001 s early', bytes, { nowMs: NOW_MS - 20_001 }),
    { name: 'ignore: the same bytes again', steps: [{ bytes }, { bytes }] },
    { name: 'ignore: the same message with a re-randomised proof', steps: [{ bytes }, { bytes: again }] },
    {
      name: 'a bad copy first does not keep the good one out',
      steps: [{ bytes: await corrupted(message, proofOf) }, { bytes }],
    },
  ]
}

async function corrupted(message: WakuMessage, proofOf: ProofOf): Promise<Bytes> {
  const proof = await proofOf(message)
  return wire(message, { ...proof, proof: proof.proof.with(255, (proof.proof[255] ?? 0) ^ 1) })
}

async function badProofs(proofOf: ProofOf): Promise<Scenario[]> {
  const message = chat('hello')
  const proof = await proofOf(message)
  const other = await proofOf(chat('last id'), { messageId: LIMIT - 1 })
  const foreign = await proofOf(message, { networkId: 'another network' })
  const points = proof.proof
  const swapped = concatBytes(points.subarray(192), points.subarray(64, 192), points.subarray(0, 64))
  const p = FIELD_MODULUS
  const raised = (value: bigint) => bigIntToBytes(value + p, 32)
  return [
    only('reject: one bit of the proof flipped', await corrupted(message, proofOf)),
    only('reject: proof of zeros', wire(message, { ...proof, proof: new Uint8Array(256) })),
    only('reject: points A and C swapped', wire(message, { ...proof, proof: swapped })),
    only('reject: proof of another message', wire(message, { ...proof, proof: other.proof })),
    only('reject: another y', wire(message, { ...proof, y: (proof.y + 1n) % p })),
    only('reject: another nullifier', wire(message, { ...proof, nullifier: (proof.nullifier + 1n) % p })),
    only('reject: proved for another network', wire(message, foreign)),
    only('reject: x = 0', wire(message, { ...proof, x: 0n })),
    only('reject: x of another message', wire(message, { ...proof, x: other.x })),
    only('reject: x not below p', rawProof(message, proof, { shareX: raised(proof.x) })),
    only('reject: y not below p', rawProof(message, proof, { shareY: raised(proof.y) })),
    only('reject: root not below p', rawProof(message, proof, { merkleRoot: raised(proof.root) })),
    only('reject: nullifier not below p', rawProof(message, proof, { nullifier: raised(proof.nullifier) })),
    only('reject: proof of 255 bytes', rawProof(message, proof, { proof: points.subarray(1) })),
    only('reject: epoch of 4 bytes', rawProof(message, proof, { epoch: bigIntToBytes(proof.epoch, 4) })),
    only('reject: the next epoch', wire(message, { ...proof, epoch: proof.epoch + 1n })),
    only('reject: the epoch before', wire(message, { ...proof, epoch: proof.epoch - 1n })),
    only('reject: no proof', encode(WakuMessageSchema, message)),
    only(
      'reject: an empty proof',
      encode(WakuMessageSchema, { ...message, rateLimitProof: new Uint8Array() }),
    ),
  ]
}

async function mutations(proofOf: ProofOf): Promise<Scenario[]> {
  const message = chat('hello', { meta: hexToBytes('6d657461') })
  const proof = await proofOf(message)
  const mutate = (name: string, change: Partial<WakuMessage>, rest = {}) =>
    only(`reject: ${name}`, wire({ ...message, ...change }, proof), rest)
  const elsewhere = '/other/1/chat/proto'
  return [
    only('accept: the message before it is changed', wire(message, proof)),
    mutate('payload changed', { payload: hexToBytes('00') }),
    mutate('content topic changed', { contentTopic: '/myapp/1/news/proto' }),
    mutate('meta changed', { meta: hexToBytes('00') }),
    mutate('timestamp changed', { timestamp: msToTimestamp(NOW_MS) + 1n }),
    mutate('version changed', { version: 1 }),
    mutate('made ephemeral', { ephemeral: true }),
    mutate('bytes moved from meta to the content topic', {
      contentTopic: `${CONTENT_TOPIC}me`,
      meta: hexToBytes('7461'),
    }),
    mutate('replayed on another shard', {}, { pubsubTopic: pubsubTopic(NETWORK.clusterId, 1) }),
    mutate('content topic of another shard', { contentTopic: elsewhere }),
    mutate(
      'replayed on another shard with a content topic of it',
      { contentTopic: elsewhere },
      { pubsubTopic: pubsubTopicForContent(elsewhere, NETWORK) },
    ),
    mutate('replayed on another cluster', {}, { pubsubTopic: pubsubTopic(1, 0) }),
  ]
}

async function badBytes(proofOf: ProofOf): Promise<Scenario[]> {
  const message = chat('hello')
  const proof = await proofOf(message)
  const bytes = wire(message, proof)
  const append = (hex: string) => concatBytes(bytes, hexToBytes(hex))
  return [
    only('reject: truncated', bytes.subarray(0, bytes.length - 1)),
    only('reject: not protobuf', hexToBytes('ffffffff')),
    only('reject: content topic not UTF-8', hexToBytes('1203f09f98')),
    only('reject: a field that is not known', append('7a0101')),
    only('reject: a field twice', append('5000')),
    only('reject: meta of 65 bytes', wire({ ...message, meta: new Uint8Array(65) }, proof)),
    only('reject: content topic of another form', wire({ ...message, contentTopic: '/chat' }, proof)),
    only('reject: pubsub topic of another form', bytes, { pubsubTopic: '/waku/2/default-waku/proto' }),
  ]
}

async function breaches(proofOf: ProofOf): Promise<Scenario[]> {
  const messages = [chat('one'), chat('two'), chat('three')]
  const [first, second, third] = await Promise.all(
    messages.map(async (message) => wire(message, await proofOf(message, { messageId: 2 }))),
  )
  if (first === undefined || second === undefined || third === undefined)
    throw new TypeError('three messages are needed')
  const two = chat('two')
  const forged = await corrupted(two, (message) => proofOf(message, { messageId: 2 }))
  const steps = (...list: Bytes[]): Step[] => list.map((bytes) => ({ bytes }))
  return [
    { name: 'breach: one id for two messages', steps: steps(first, second) },
    { name: 'breach: whichever comes first', steps: steps(second, first) },
    {
      name: 'breach once: more of it, and copies, are ignored',
      steps: steps(first, second, third, second, first),
    },
    { name: 'no breach from a forged share', steps: steps(first, forged, second) },
  ]
}

async function judged({ name, steps }: Scenario, verify: VerifyProof) {
  const judge = createJudge(verify)
  const results: unknown[] = []
  for (const { bytes, pubsubTopic: topic = TOPIC, nowMs = NOW_MS, knownRoots = [tree.root()] } of steps) {
    const rootKnown = (root: bigint) => knownRoots.includes(root)
    const verdict = await judge(bytes, topic, { ...CONTEXT, nowMs, rootKnown })
    results.push({ nowMs, pubsubTopic: topic, knownRoots, bytes, verdict })
  }
  return { name, steps: results }
}

export async function whole(proofOf: ProofOf, verify: VerifyProof, proofs: ProofStore): Promise<VectorFile> {
  const groups = [accepted, ignored, badProofs, mutations, badBytes, breaches]
  const scenarios: unknown[] = []
  for (const group of groups) {
    for (const scenario of await group(proofOf)) scenarios.push(await judged(scenario, verify))
  }
  return {
    description:
      'Whole RLN-protected messages: bytes in, verdict out. Each scenario is what one fresh node receives, in order. Proofs are under circuits/artifacts.',
    network: NETWORK,
    membership: { changes: CHANGES, senderIndex: SENDER_INDEX, root: tree.root() },
    scenarios,
    proofs,
  }
}

export async function breachVectors(proofOf: ProofOf, verify: VerifyProof): Promise<VectorFile> {
  const made = async (text: string, messageId: number) => {
    const message = chat(text)
    return wire(message, await proofOf(message, { messageId }))
  }
  const [first, second, otherId] = [
    await made('one', 2),
    await made('two', 2),
    await made('last id', LIMIT - 1),
  ]
  const forged = await corrupted(chat('two'), (message) => proofOf(message, { messageId: 2 }))
  const cases: [string, Bytes][] = [
    ['two messages, one id', encodeBreach({ pubsubTopic: TOPIC, first, second })],
    ['one message twice', encodeBreach({ pubsubTopic: TOPIC, first, second: first })],
    [
      'two messages, two ids',
      encodeBreach({ pubsubTopic: TOPIC, first: await made('hello', 0), second: otherId }),
    ],
    ['a proof that does not verify', encodeBreach({ pubsubTopic: TOPIC, first, second: forged })],
    ['another topic', encodeBreach({ pubsubTopic: pubsubTopic(NETWORK.clusterId, 1), first, second })],
    ['not a breach', hexToBytes('ff')],
  ]
  const results = await Promise.all(
    cases.map(async ([name, bytes]) => ({
      name,
      bytes,
      ...(await verifyBreach(bytes, { ...CONTEXT }, verify).then(
        (result) => ({ result }),
        (error: { code: string }) => ({ error: error.code }),
      )),
    })),
  )
  return {
    description: 'Portable evidence of a breach. docs/protocol/rln.md',
    network: NETWORK,
    cases: results,
  }
}
