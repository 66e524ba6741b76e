import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createVerifier, type VerificationKey } from '@postrider/circuits/engine'
import { afterAll, describe, expect, it } from 'vitest'
import {
  decodeClientFrame,
  decodeNodeFrame,
  encodeClientFrame,
  encodeNodeFrame,
  type Voucher,
  verifyVoucher,
} from './payment/index.ts'
import {
  createMembershipTree,
  decodeChanges,
  EMPTY_ACCUMULATOR,
  foldChanges,
  leafOfChange,
  leavesOfChanges,
  type MembershipChange,
  poseidon,
} from './rln/index.ts'
import { createJudge } from './testing/judge.ts'
import {
  bytesToHex,
  decode,
  encode,
  type Hex,
  hexToBytes,
  messageHash,
  WakuMessageSchema,
} from './wire/index.ts'

const read = (name: string) => JSON.parse(readFileSync(join(import.meta.dirname, 'vectors', name), 'utf8'))
const change = ({
  index,
  commitment,
  limit,
}: {
  index: number
  commitment: string
  limit: number
}): MembershipChange => ({ index, limit, commitment: BigInt(commitment) })

describe('message.json', () => {
  it.each<{ name: string; pubsubTopic: string; encoded: Hex; hash: Hex }>(read('message.json').cases)(
    '$name',
    ({ pubsubTopic, encoded, hash }) => {
      const message = decode(WakuMessageSchema, hexToBytes(encoded))
      expect(bytesToHex(encode(WakuMessageSchema, message))).toBe(encoded)
      expect(bytesToHex(messageHash(pubsubTopic, message))).toBe(hash)
    },
  )
})

describe('rln.json', () => {
  const { changes, senderIndex, path } = read('rln.json').membership as {
    changes: { encoded: Hex; leaf: string; accumulator: Hex; root: string }[]
    senderIndex: number
    path: { siblings: string[]; indices: number[] }
  }

  it('leads from encoded changes to running hash, leaves, roots and a path', () => {
    const tree = createMembershipTree()
    let accumulator = EMPTY_ACCUMULATOR
    for (const step of changes) {
      const encoded = hexToBytes(step.encoded)
      const [leaf] = leavesOfChanges(decodeChanges(encoded))
      accumulator = foldChanges(accumulator, encoded).accumulator
      tree.setMany(leaf ? [leaf] : [])
      expect([String(leaf?.leaf), accumulator, String(tree.root())]).toEqual([
        step.leaf,
        step.accumulator,
        step.root,
      ])
    }
    const { siblings, indices } = tree.path(senderIndex)
    expect({ siblings: siblings.map(String), indices }).toEqual(path)
  })
})

type Step = {
  nowMs: number
  pubsubTopic: string
  knownRoots: string[]
  bytes: Hex
  verdict: { kind: string; code?: string; secret?: string; commitment?: string }
}
type Scenario = { name: string; steps: Step[] }

describe('rln-messages.json', () => {
  const { network, membership, scenarios } = read('rln-messages.json') as {
    network: { networkId: string; clusterId: number; shardCount: number; epochSeconds: number }
    membership: { changes: never[]; root: string }
    scenarios: Scenario[]
  }
  const key = join(import.meta.dirname, '..', 'circuits', 'artifacts', 'verification_key.json')
  const verifier = createVerifier(JSON.parse(readFileSync(key, 'utf8')) as VerificationKey)
  afterAll(() => verifier.close())

  it('have the root of their member list', () => {
    const tree = createMembershipTree()
    for (const one of membership.changes.map(change)) tree.set(one.index, leafOfChange(one))
    expect(tree.root().toString()).toBe(membership.root)
  })

  it.each(scenarios)('$name', async ({ name, steps }) => {
    const judge = createJudge((proof, signals) => verifier.verify(proof, signals))
    for (const { nowMs, pubsubTopic, knownRoots, bytes, verdict } of steps) {
      const rootKnown = (root: bigint) => knownRoots.includes(root.toString())
      const actual = await judge(hexToBytes(bytes), pubsubTopic, { ...network, nowMs, rootKnown })
      expect(
        JSON.parse(JSON.stringify(actual, (_k, v) => (typeof v === 'bigint' ? v.toString() : v))),
      ).toEqual(verdict)
      if (verdict.kind === 'breach')
        expect(poseidon([BigInt(verdict.secret ?? 0)]).toString()).toBe(verdict.commitment)
    }
    // A scenario is named after the verdict that its last message must get.
    const [expected] = name.split(':')
    if (['accept', 'ignore', 'reject', 'breach'].includes(expected ?? ''))
      expect(steps.at(-1)?.verdict.kind).toBe(expected)
  })
})

describe('payment.json', () => {
  const { domain, badSignatures, vouchers, signer, clientFrames, nodeFrames } = read('payment.json')
  const voucherOf = (json: {
    channelId: Hex
    cumulative: string
    tickAnchor: Hex
    tickValue: string
  }): Voucher => ({
    channelId: json.channelId,
    cumulative: BigInt(json.cumulative),
    tickAnchor: json.tickAnchor,
    tickValue: BigInt(json.tickValue),
  })

  it('signatures are good or bad as they say', () => {
    for (const voucher of vouchers)
      expect(verifyVoucher(domain, voucherOf(voucher), hexToBytes(voucher.signature), signer.address)).toBe(
        true,
      )
    for (const { name, voucher, signature } of badSignatures) {
      expect(verifyVoucher(domain, voucherOf(voucher), hexToBytes(signature), signer.address), name).toBe(
        false,
      )
    }
  })

  it('frames read back', () => {
    for (const { encoded } of clientFrames)
      expect(bytesToHex(encodeClientFrame(decodeClientFrame(hexToBytes(encoded))))).toBe(encoded)
    for (const { encoded } of nodeFrames)
      expect(bytesToHex(encodeNodeFrame(decodeNodeFrame(hexToBytes(encoded))))).toBe(encoded)
  })
})
