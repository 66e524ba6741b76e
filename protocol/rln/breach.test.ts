import { describe, expect, it } from 'vitest'
import { isPostriderError } from '../errors/index.ts'
import { bytes, mutated } from '../testing/arbitraries.ts'
import { fc } from '../testing/fc.ts'
import { chatMessage, context, member, NOW_MS, TOPIC, withProof } from '../testing/rln.ts'
import { pubsubTopic } from '../wire/index.ts'
import { decodeBreach, encodeBreach, epochAt, verifyBreach } from './index.ts'

const first = withProof(chatMessage('one'))
const second = withProof(chatMessage('two', BigInt(NOW_MS + 1000) * 1_000_000n))
const good = { pubsubTopic: TOPIC, first, second }
const { nowMs: _now, rootKnown: _root, ...offline } = context
const yes = () => true
const invalid = (detail: string) =>
  expect.objectContaining({ code: 'RLN_EVIDENCE_INVALID', message: expect.stringContaining(detail) })

describe('evidence', () => {
  it('gives the secret of whoever used one id twice', async () => {
    const breach = await verifyBreach(encodeBreach(good), offline, async () => true)
    expect(breach).toMatchObject({ ...member, epoch: epochAt(NOW_MS, 600) })
    expect(decodeBreach(encodeBreach(good))).toEqual(good)
  })

  it('can be held against the roots of the group', async () => {
    await expect(
      verifyBreach(encodeBreach(good), { ...offline, rootKnown: () => false }, yes),
    ).rejects.toThrow(invalid('RLN_UNKNOWN_ROOT'))
  })

  it.each([
    ['one message twice', { ...good, second: first }, 'same share'],
    ['two message ids', { ...good, second: withProof(chatMessage('two'), {}, 1) }, 'nullifiers'],
    [
      'two epochs',
      { ...good, second: withProof(chatMessage('two', BigInt(NOW_MS + 600_000) * 1_000_000n)) },
      'nullifiers',
    ],
    ['another topic', { ...good, pubsubTopic: pubsubTopic(66, 1) }, 'WIRE_SHARD_MISMATCH'],
    [
      'a changed message',
      { ...good, second: withProof(chatMessage('two'), { x: 5n }) },
      'RLN_SIGNAL_MISMATCH',
    ],
  ])('is refused: %s', async (_name, breach, detail) => {
    await expect(verifyBreach(encodeBreach(breach), offline, yes)).rejects.toThrow(invalid(detail))
  })

  it('is refused when a proof does not verify', async () => {
    let calls = 0
    await expect(verifyBreach(encodeBreach(good), offline, () => calls++ === 0)).rejects.toThrow(
      invalid('proof'),
    )
  })

  it('throws nothing but coded errors on any bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(bytes(300), mutated(fc.constant(encodeBreach(good)))), async (data) => {
        try {
          await verifyBreach(data, offline, yes)
        } catch (error) {
          expect(isPostriderError(error) && ['RLN_EVIDENCE_INVALID', 'WIRE_MALFORMED']).toContain(
            (error as { code: string }).code,
          )
        }
      }),
    )
  })
})
