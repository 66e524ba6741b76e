import {
  accumulate,
  createMembershipTree,
  EMPTY_ACCUMULATOR,
  encodeChanges,
  encodeRlnProof,
  epochAt,
  externalNullifier,
  FIELD_MODULUS,
  identityFromSecret,
  leafOfChange,
  type MembershipChange,
  poseidon,
  type RlnProof,
  rateCommitment,
  recoverSecret,
  share,
  signalX,
  slashCommitHash,
} from '../../rln/index.ts'
import { type Hex, messageHash } from '../../wire/index.ts'
import { CHANGES, chat, LIMIT, NETWORK, NOW_MS, SENDER, SENDER_INDEX, TOPIC, tree } from './fixtures.ts'
import type { VectorFile } from './format.ts'

export function rlnVectors(): VectorFile {
  const inputs = [
    [1n],
    [0n, 0n],
    [1n, 2n],
    [1n, 2n, 3n],
    [FIELD_MODULUS - 1n, FIELD_MODULUS - 1n, FIELD_MODULUS - 1n],
  ]
  const scope = {
    epoch: epochAt(NOW_MS, NETWORK.epochSeconds),
    networkId: NETWORK.networkId,
    pubsubTopic: TOPIC,
  }
  const external = externalNullifier(scope)
  return {
    description: 'RLN primitives. Integers in decimal, bytes in hex. docs/protocol/rln.md',
    poseidon: inputs.map((input) => ({ input, output: poseidon(input) })),
    identities: [1n, SENDER.secret, FIELD_MODULUS - 1n].map((secret) => {
      const { commitment } = identityFromSecret(secret)
      return { secret, commitment, limit: LIMIT, leaf: rateCommitment(commitment, LIMIT) }
    }),
    membership: { changes: history(CHANGES), senderIndex: SENDER_INDEX, path: tree.path(SENDER_INDEX) },
    epochs: [0, 599_999, 600_000, NOW_MS].map((unixMs) => ({
      unixMs,
      epochSeconds: 600,
      epoch: epochAt(unixMs, 600),
    })),
    externalNullifiers: [
      scope,
      { ...scope, epoch: 0n },
      { ...scope, networkId: 'other' },
      { ...scope, pubsubTopic: '' },
    ].map((place) => ({ ...place, externalNullifier: externalNullifier(place) })),
    signals: signals(),
    shares: shares(external),
    proofEncodings: proofEncodings(scope.epoch),
    slashCommits: slashCommits(),
  }
}

function history(changes: readonly MembershipChange[]) {
  const growing = createMembershipTree()
  let accumulator = EMPTY_ACCUMULATOR
  return changes.map((change) => {
    const leaf = leafOfChange(change)
    growing.set(change.index, leaf)
    accumulator = accumulate(accumulator, change)
    return { ...change, encoded: encodeChanges([change]), leaf, accumulator, root: growing.root() }
  })
}

function signals() {
  const messages = [
    chat('hello'),
    chat('hello', { version: 2, ephemeral: true, meta: Uint8Array.of(1, 2, 3) }),
    chat('', { contentTopic: '/myapp/1/grüße/proto' }),
  ]
  return messages.map((message) => {
    const { $typeName: _, ...fields } = message
    return {
      pubsubTopic: TOPIC,
      message: fields,
      hash: messageHash(TOPIC, message),
      x: signalX(TOPIC, message),
    }
  })
}

function shares(external: bigint) {
  const x = signalX(TOPIC, chat('hello'))
  const points = [
    { messageId: 0, x: 1n },
    { messageId: 0, x },
    { messageId: LIMIT - 1, x },
  ].map((point) => ({ ...point, ...share(SENDER.secret, external, point.messageId, point.x) }))
  const [first, second] = points
  if (first === undefined || second === undefined) throw new TypeError('two shares are needed')
  return {
    secret: SENDER.secret,
    externalNullifier: external,
    points,
    recovered: recoverSecret(first, second),
  }
}

function proofEncodings(epoch: bigint) {
  const values: RlnProof = {
    proof: Uint8Array.from({ length: 256 }, (_, i) => i),
    root: 1n,
    epoch,
    x: 2n,
    y: 3n,
    nullifier: FIELD_MODULUS - 1n,
  }
  return [{ name: 'widths only, not a valid proof', ...values, encoded: encodeRlnProof(values) }]
}

function slashCommits() {
  const slasher: Hex = `0x${'11'.repeat(20)}`
  const nonce: Hex = `0x${'22'.repeat(32)}`
  return [
    { slasher, secret: SENDER.secret, nonce, commitHash: slashCommitHash(slasher, SENDER.secret, nonce) },
  ]
}
