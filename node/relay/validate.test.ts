import { encode, utf8ToBytes, WakuMessageSchema } from '@postrider/protocol/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { silentLogger } from '../core/logger.ts'
import { createManualClock } from '../core/testing/manual-clock.ts'
import { MAX_ROOT_WAITERS_PER_PEER, RELAY_VALIDATION_DEADLINE_MS, ROOT_WAIT_MS } from './constants.ts'
import { createRootWait } from './root-wait.ts'
import { buildData, buildMessage, createMember, network, ROOT, TOPIC, topicOf } from './testing/messages.ts'
import { createManualVerifier, createTestRoots, createTestVerifier } from './testing/ports.ts'
import type { FoundBreach, Outcome, ProofVerifier, Source } from './types.ts'
import { createValidator, type ValidatorOptions } from './validate.ts'

const member = createMember(1234n)
const from = (peer: string): Source => ({ via: 'gossip', peer })

function setUp<V extends ProofVerifier>(verifier: V, options: Partial<ValidatorOptions> = {}) {
  const clock = createManualClock()
  const roots = createTestRoots()
  const rootWait = createRootWait({ roots, clock })
  rootWait.start()
  const breaches: FoundBreach[] = []
  const validator = createValidator(
    { verifier, roots, rootWait, clock, logger: silentLogger, onBreach: (breach) => breaches.push(breach) },
    { network, ...options },
  )
  const send = (data: Uint8Array, peer = 'peer', topic = TOPIC) => validator.validate(topic, data, from(peer))
  const build = (options: Partial<Parameters<typeof buildData>[0]> = {}) =>
    buildData({ member, nowMs: clock.nowMs(), ...options })
  return { clock, roots, rootWait, verifier, validator, breaches, send, build }
}

const verdictOf = async (outcome: Promise<Outcome>) => (await outcome).verdict
const ignored = (code: string) => ({ kind: 'ignore', code })
const rejected = (code: string) => ({ kind: 'reject', code })
/** Lets the promise chains of `validate` run up to the verifier. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve))

describe('verdicts', () => {
  it('accepts a good message once and hands it over with its hash', async () => {
    const { send, build, verifier } = setUp(createTestVerifier())
    const data = build()
    const { verdict, accepted } = await send(data)
    expect(verdict).toEqual({ kind: 'accept' })
    expect(accepted).toMatchObject({ pubsubTopic: TOPIC, data })
    expect(accepted?.hash).toHaveLength(32)
    expect(await send(data, 'other')).toEqual({ verdict: ignored('RLN_DUPLICATE'), identical: true })
    expect(verifier.calls()).toBe(1)
  })

  it('ignores a re-randomised proof of an accepted message without verifying it', async () => {
    const { send, build, verifier, breaches } = setUp(createTestVerifier())
    await send(build())
    expect(await send(build({ randomness: 7 }))).toEqual({
      verdict: ignored('RLN_DUPLICATE'),
      identical: false,
    })
    expect(verifier.calls()).toBe(1)
    expect(breaches).toEqual([])
  })

  it('accepts as many messages of a member as it has ids, in every shard of its own', async () => {
    const { send, build } = setUp(createTestVerifier())
    for (const messageId of [0, 1, 2]) {
      expect(await verdictOf(send(build({ messageId, text: `m${messageId}` })))).toEqual({ kind: 'accept' })
    }
    const contentTopic = '/other/1/room/proto'
    expect(topicOf(contentTopic)).not.toBe(TOPIC)
    expect(await verdictOf(send(build({ contentTopic }), 'peer', topicOf(contentTopic)))).toEqual({
      kind: 'accept',
    })
  })

  it.each<[string, Partial<Parameters<typeof buildData>[0]>, object]>([
    ['an invalid proof', { valid: false }, rejected('RLN_PROOF_INVALID')],
    ['x = 0', { change: { proof: { x: 0n } } }, rejected('RLN_X_ZERO')],
    ['another x', { change: { proof: { x: 5n } } }, rejected('RLN_SIGNAL_MISMATCH')],
    ['another epoch', { change: { proof: { epoch: 1n } } }, rejected('RLN_EPOCH_MISMATCH')],
    ['a stale message', { nowMs: 1_700_000_000_000 - 21_000 }, ignored('RLN_TIMESTAMP_OUTSIDE_WINDOW')],
    [
      'a message from the future',
      { nowMs: 1_700_000_000_000 + 21_000 },
      ignored('RLN_TIMESTAMP_OUTSIDE_WINDOW'),
    ],
  ])('judges %s', async (_, options, expected) => {
    const { send, build, validator } = setUp(createTestVerifier())
    expect(await verdictOf(send(build(options)))).toEqual(expected)
    expect(validator.stats().nullifiers).toBe(0)
  })

  it.each<[string, (message: ReturnType<typeof buildMessage>) => object]>([
    ['payload', () => ({ payload: utf8ToBytes('other') })],
    ['meta', () => ({ meta: new Uint8Array([1]) })],
    ['ephemeral flag', () => ({ ephemeral: true })],
    ['version', () => ({ version: 9 })],
    ['timestamp', ({ timestamp }) => ({ timestamp: (timestamp ?? 0n) + 1n })],
  ])('rejects a valid proof under a changed %s', async (_, change) => {
    const { send, clock } = setUp(createTestVerifier())
    const message = buildMessage({ member, nowMs: clock.nowMs() })
    const data = encode(WakuMessageSchema, { ...message, ...change(message) })
    expect(await verdictOf(send(data))).toEqual(rejected('RLN_SIGNAL_MISMATCH'))
  })

  it('rejects a copy on another shard, and still accepts the original', async () => {
    const { send, build } = setUp(createTestVerifier())
    const data = build()
    const other = topicOf('/other/1/room/proto')
    expect(await verdictOf(send(data, 'peer', other))).toEqual(rejected('WIRE_SHARD_MISMATCH'))
    expect(await verdictOf(send(data))).toEqual({ kind: 'accept' })
  })

  it('rejects bytes that are no message, whatever they are', async () => {
    const { send, validator } = setUp(createTestVerifier())
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (data) => {
        expect((await verdictOf(send(data))).kind).toBe('reject')
      }),
      { numRuns: 200 },
    )
    expect(await verdictOf(send(new Uint8Array(200_000)))).toEqual(rejected('WIRE_TOO_LARGE'))
    expect(validator.stats()).toMatchObject({ inFlight: 0, nullifiers: 0, evidenceBytes: 0 })
  })
})

describe('breach', () => {
  it('recovers the secret and reports both messages once', async () => {
    const { send, build, breaches } = setUp(createTestVerifier())
    const [first, second, third] = ['one', 'two', 'three'].map((text) => build({ text }))
    if (!first || !second || !third) throw new TypeError()
    expect(await verdictOf(send(first))).toEqual({ kind: 'accept' })
    const outcome = await send(second, 'neighbour')
    expect(outcome.verdict).toEqual({
      kind: 'breach',
      code: 'RLN_BREACH',
      secret: member.secret,
      commitment: member.commitment,
    })
    expect(outcome.bothFromSender).toBe(false)
    expect(await verdictOf(send(third))).toEqual(ignored('RLN_NULLIFIER_SPENT'))
    expect(await verdictOf(send(first))).toEqual(ignored('RLN_DUPLICATE'))
    expect(breaches).toEqual([
      { pubsubTopic: TOPIC, first, second, secret: member.secret, commitment: member.commitment },
    ])
  })

  it('knows when one peer sent both halves', async () => {
    const { send, build } = setUp(createTestVerifier())
    await send(build({ text: 'one' }), 'mallory')
    expect((await send(build({ text: 'two' }), 'mallory')).bothFromSender).toBe(true)
  })

  it('keeps its secret even when the first message has left the cache', async () => {
    const { send, build, breaches } = setUp(createTestVerifier(), { maxEvidenceBytes: 10 })
    await send(build({ text: 'one' }))
    await send(build({ text: 'two' }))
    expect(breaches).toMatchObject([{ first: new Uint8Array(), secret: member.secret }])
  })

  it('never accepts two of three messages in flight, in any order of arrival and verification', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray([0, 1, 2], { minLength: 3 }),
        fc.array(fc.tuple(fc.nat(), fc.boolean()), { minLength: 12, maxLength: 12 }),
        async (order, steps) => {
          const { send, build, verifier, breaches, validator } = setUp(createManualVerifier())
          // Messages 0 and 1 break the limit; 2 has the share of 0 under a proof that is not valid.
          const all = [
            build({ text: 'a' }),
            build({ text: 'b' }),
            build({ text: 'a', valid: false, randomness: 1 }),
          ]
          const outcomes: Promise<Outcome>[] = []
          const arrivals = order.map((index) => all[index] as Uint8Array)
          for (const [pick, arrive] of steps) {
            const next = arrivals[0]
            if (next && (arrive || verifier.waiting() === 0))
              outcomes.push(send(arrivals.shift() as Uint8Array))
            else if (verifier.waiting() > 0) await verifier.answer(pick % verifier.waiting())
            await settle()
          }
          for (const data of arrivals) outcomes.push(send(data))
          await settle()
          while (verifier.waiting() > 0) await verifier.answer()
          const kinds = (await Promise.all(outcomes)).map(({ verdict }) => verdict.kind)
          expect(kinds.filter((kind) => kind === 'accept')).toHaveLength(1)
          expect(kinds.filter((kind) => kind === 'breach')).toHaveLength(1)
          expect(breaches).toHaveLength(1)
          expect(breaches[0]?.secret).toBe(member.secret)
          expect(validator.stats()).toMatchObject({ inFlight: 0, nullifiers: 1 })
        },
      ),
      { numRuns: 60 },
    )
  })
})

describe('load', () => {
  it('ignores when the verifier is full, and takes the same message later', async () => {
    const { send, build, verifier } = setUp(createManualVerifier())
    verifier.full = true
    const data = build()
    expect(await verdictOf(send(data))).toEqual(ignored('RELAY_OVERLOADED'))
    verifier.full = false
    const again = send(data)
    await settle()
    await verifier.answer()
    expect(await verdictOf(again)).toEqual({ kind: 'accept' })
  })

  it('ignores, and punishes nobody, when the verifier fails', async () => {
    const { send, build, verifier, validator } = setUp(createManualVerifier())
    const outcome = send(build())
    await settle()
    await verifier.fail()
    expect(await verdictOf(outcome)).toEqual(ignored('RELAY_OVERLOADED'))
    expect(validator.stats()).toMatchObject({ inFlight: 0, nullifiers: 0 })
  })

  it('verifies the next copy when the first gets no answer', async () => {
    const { send, build, verifier } = setUp(createManualVerifier())
    const [first, copy] = [send(build()), send(build({ randomness: 1 }))]
    await settle()
    expect(verifier.waiting()).toBe(1)
    await verifier.fail()
    expect(verifier.waiting()).toBe(1)
    await verifier.answer()
    expect(await verdictOf(first)).toEqual(ignored('RELAY_OVERLOADED'))
    expect(await verdictOf(copy)).toEqual({ kind: 'accept' })
  })

  it('does not let a trusted source wait for a copy of one that is not', async () => {
    const { send, build, verifier } = setUp(createManualVerifier())
    verifier.newcomers.add('stranger')
    const forged = send(build({ valid: false, randomness: 1 }), 'stranger')
    const copy = send(build({ randomness: 2 }), 'stranger')
    const honest = send(build(), 'friend')
    const again = send(build({ randomness: 3 }), 'another friend')
    await settle()
    // The stranger's copy waits for the stranger, the second friend for the first.
    expect(verifier.waiting()).toBe(2)
    await verifier.answer(1)
    expect(await verdictOf(honest)).toEqual({ kind: 'accept' })
    expect(await verdictOf(again)).toEqual(ignored('RLN_DUPLICATE'))
    expect(await verdictOf(copy)).toEqual(ignored('RLN_DUPLICATE'))
    await verifier.answer()
    expect(await verdictOf(forged)).toEqual(rejected('RLN_PROOF_INVALID'))
  })

  it('gives up a verdict that is overdue, and a late answer changes nothing', async () => {
    const { clock, send, build, verifier, validator } = setUp(createManualVerifier())
    const outcome = send(build())
    await settle()
    await clock.advance(RELAY_VALIDATION_DEADLINE_MS - 1)
    validator.tick()
    expect(validator.stats().inFlight).toBe(1)
    await clock.advance(1)
    validator.tick()
    expect(await verdictOf(outcome)).toEqual(ignored('RELAY_OVERLOADED'))
    await verifier.answer()
    expect(validator.stats()).toMatchObject({ inFlight: 0, nullifiers: 0 })
  })

  it('holds a bounded number of messages in flight', async () => {
    const { send, build, verifier } = setUp(createManualVerifier(), { maxInFlight: 2 })
    const outcomes = [0, 1, 2].map((messageId) => send(build({ messageId, text: `${messageId}` })))
    await settle()
    expect(await verdictOf(outcomes[2] as Promise<Outcome>)).toEqual(ignored('RELAY_OVERLOADED'))
    await verifier.answer()
    await verifier.answer()
    expect(await verdictOf(outcomes[0] as Promise<Outcome>)).toEqual({ kind: 'accept' })
  })

  it('accepts a bounded number of bytes a second', async () => {
    const acceptedBytes = { perSecond: 1_000, burst: 1_000 }
    const { clock, send, build, verifier } = setUp(createTestVerifier(), { acceptedBytes })
    const next = (messageId: number) => send(build({ messageId, text: `${messageId}` }))
    expect(await verdictOf(next(0))).toEqual({ kind: 'accept' })
    expect(await verdictOf(next(1))).toEqual({ kind: 'accept' })
    expect(await verdictOf(next(2))).toEqual(ignored('RELAY_OVERLOADED'))
    expect(verifier.calls()).toBe(2)
    await clock.advance(1_000)
    expect(await verdictOf(next(3))).toEqual({ kind: 'accept' })
  })

  it('refuses new nullifiers when the log is full, still finds breaches, and recovers with the epoch', async () => {
    const { clock, send, build, validator } = setUp(createTestVerifier(), { maxNullifiers: 2 })
    for (const messageId of [0, 1]) await send(build({ messageId, text: `${messageId}` }))
    expect(await verdictOf(send(build({ messageId: 2, text: '2' })))).toEqual(ignored('RELAY_LOG_FULL'))
    expect((await verdictOf(send(build({ messageId: 1, text: 'again' })))).kind).toBe('breach')
    await clock.advance(120_000)
    validator.tick()
    expect(validator.stats()).toMatchObject({ nullifiers: 0, evidenceBytes: 0 })
    expect(await verdictOf(send(build({ messageId: 2, text: '2' })))).toEqual({ kind: 'accept' })
  })

  it('keeps every epoch in which a message is still acceptable', async () => {
    const { clock, send, build, validator } = setUp(createTestVerifier())
    const data = build()
    await send(data)
    await clock.advance(20_000)
    validator.tick()
    expect(await verdictOf(send(data))).toEqual(ignored('RLN_DUPLICATE'))
  })

  it('ignores what is in flight and what comes after when it stops', async () => {
    const { send, build, validator } = setUp(createManualVerifier())
    const outcome = send(build())
    await settle()
    validator.stop()
    expect(await verdictOf(outcome)).toEqual(ignored('RELAY_STOPPED'))
    expect(await verdictOf(send(build()))).toEqual(ignored('RELAY_STOPPED'))
  })
})

describe('unknown root', () => {
  it('waits for the block that brings it', async () => {
    const { clock, roots, send, build } = setUp(createTestVerifier())
    const outcome = send(build({ root: 77n }))
    await clock.advance(1_000)
    roots.add(77n)
    await clock.advance(1_000)
    expect(await verdictOf(outcome)).toEqual({ kind: 'accept' })
  })

  it('is ignored when it does not come, and costs neither verification nor memory', async () => {
    const { clock, send, build, verifier, rootWait, validator } = setUp(createTestVerifier())
    const outcome = send(build({ root: 77n }))
    await clock.advance(ROOT_WAIT_MS + 1_000)
    expect(await verdictOf(outcome)).toEqual(ignored('RLN_UNKNOWN_ROOT'))
    expect(verifier.calls()).toBe(0)
    expect(rootWait.waiting()).toBe(0)
    expect(validator.stats().nullifiers).toBe(0)
  })

  it('lets one peer wait with a few messages only, and others beside it', async () => {
    const { clock, roots, send, build, rootWait } = setUp(createTestVerifier())
    const flood = Array.from({ length: 3 * MAX_ROOT_WAITERS_PER_PEER }, (_, messageId) =>
      send(build({ messageId, text: `${messageId}`, root: 1_000n + BigInt(messageId) }), 'mallory'),
    )
    await settle()
    expect(rootWait.waiting()).toBe(MAX_ROOT_WAITERS_PER_PEER)
    const honest = send(build({ messageId: 99, root: 77n }), 'alice')
    roots.add(77n)
    await clock.advance(ROOT_WAIT_MS + 1_000)
    expect(await verdictOf(honest)).toEqual({ kind: 'accept' })
    for (const outcome of flood) expect(await verdictOf(outcome)).toEqual(ignored('RLN_UNKNOWN_ROOT'))
  })

  it('is no reason to wait for a message that is bad in another way', async () => {
    const { send, build, rootWait } = setUp(createTestVerifier())
    expect(await verdictOf(send(build({ root: 77n, change: { proof: { x: 5n } } })))).toEqual(
      rejected('RLN_SIGNAL_MISMATCH'),
    )
    expect(rootWait.waiting()).toBe(0)
    expect(ROOT).not.toBe(77n)
  })
})
