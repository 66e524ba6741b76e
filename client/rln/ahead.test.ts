import { PostriderError } from '@postrider/protocol/errors'
import { TREE_DEPTH } from '@postrider/protocol/rln'
import { beforeEach, expect, it } from 'vitest'
import { createManualClock, type ManualClock, settle } from '../testing/clock.ts'
import { type AheadProver, createAheadProver, type InputsAhead } from './ahead.ts'
import { AHEAD_CHECK_MS, AHEAD_IDLE_MS, AHEAD_PAUSE_MS, MAX_UNUSED_AHEAD } from './constants.ts'
import type { PreparedProof } from './types.ts'

const TOPIC = '/waku/2/rs/1/0'
const SOON_MS = AHEAD_IDLE_MS + AHEAD_CHECK_MS

const inputs = (messageId: number, root = 0n): InputsAhead => ({
  identitySecret: 1n,
  userMessageLimit: 9,
  messageId,
  pathElements: Array(TREE_DEPTH).fill(root),
  identityPathIndex: Array(TREE_DEPTH).fill(0),
  externalNullifier: 7n,
})

let clock: ManualClock
let ahead: AheadProver
let next: InputsAhead | undefined
let begun: { inputs: InputsAhead; signal: AbortSignal; finish: PromiseWithResolvers<PreparedProof> }[]
let dropped: number
let warnings: PostriderError[]
const prepared: PreparedProof = {
  complete: async () => ({ proof: new Uint8Array(256), signals: [1n, 2n, 3n, 4n, 5n] }),
  drop: () => {
    dropped++
  },
}

beforeEach(() => {
  clock = createManualClock()
  next = inputs(0)
  begun = []
  warnings = []
  dropped = 0
  ahead = createAheadProver({
    clock,
    next: async () => next,
    onError: (error) => warnings.push(error),
    engine: {
      proveAhead(inputs, { signal = new AbortController().signal } = {}) {
        const finish = Promise.withResolvers<PreparedProof>()
        signal.addEventListener('abort', () => finish.reject(signal.reason))
        begun.push({ inputs, signal, finish })
        return finish.promise
      },
    },
  })
  ahead.start()
  return () => ahead.stop()
})

it('does nothing until a topic is expected', async () => {
  await clock.advance(SOON_MS * 4)
  expect(begun).toHaveLength(0)
})

it('hands out what was made from the very inputs, once', async () => {
  ahead.expect(TOPIC)
  await clock.advance(SOON_MS)
  begun[0]?.finish.resolve(prepared)
  await settle()
  expect(ahead.take(inputs(0))).toBe(prepared)
  expect(ahead.take(inputs(0))).toBeUndefined()
  expect(dropped).toBe(0)
})

it.each([
  ['another id', inputs(1)],
  ['another root', inputs(0, 5n)],
  ['another limit', { ...inputs(0), userMessageLimit: 8 }],
  ['another epoch', { ...inputs(0), externalNullifier: 8n }],
])('throws it away for %s', async (_, wanted) => {
  ahead.expect(TOPIC)
  await clock.advance(SOON_MS)
  begun[0]?.finish.resolve(prepared)
  await settle()
  expect(ahead.take(wanted)).toBeUndefined()
  expect(dropped).toBe(1)
})

it('calls off what is under way when a message comes', async () => {
  ahead.expect(TOPIC)
  await clock.advance(SOON_MS)
  expect(ahead.take(inputs(0))).toBeUndefined()
  expect(begun[0]?.signal.aborted).toBe(true)
  expect(warnings).toEqual([])
})

it('begins again when it has been quiet after a message', async () => {
  ahead.expect(TOPIC)
  await clock.advance(SOON_MS)
  begun[0]?.finish.resolve(prepared)
  await settle()
  next = inputs(1)
  ahead.take(inputs(0))
  await clock.advance(AHEAD_IDLE_MS - 1)
  expect(begun).toHaveLength(1)
  await clock.advance(AHEAD_CHECK_MS)
  expect(begun[1]?.inputs.messageId).toBe(1)
})

it('makes it anew when the root or the epoch has changed, but not more often than every ten seconds', async () => {
  ahead.expect(TOPIC)
  await clock.advance(SOON_MS)
  begun[0]?.finish.resolve(prepared)
  await clock.advance(AHEAD_CHECK_MS)
  next = inputs(0, 3n)
  await clock.advance(AHEAD_PAUSE_MS - 4 * AHEAD_CHECK_MS)
  expect(begun).toHaveLength(1)
  await clock.advance(4 * AHEAD_CHECK_MS)
  expect(begun).toHaveLength(2)
  expect(dropped).toBe(1)
})

it('keeps what still fits', async () => {
  ahead.expect(TOPIC)
  await clock.advance(SOON_MS)
  begun[0]?.finish.resolve(prepared)
  await clock.advance(AHEAD_PAUSE_MS * 3)
  expect(begun).toHaveLength(1)
})

it('rests after ten that nobody used, until the application is back', async () => {
  ahead.expect(TOPIC)
  for (let root = 0n; root < MAX_UNUSED_AHEAD + 5; root++) {
    next = inputs(0, root)
    await clock.advance(AHEAD_PAUSE_MS + SOON_MS)
    begun.at(-1)?.finish.resolve(prepared)
  }
  expect(begun).toHaveLength(MAX_UNUSED_AHEAD)
  ahead.expect(TOPIC)
  next = inputs(0, 99n)
  await clock.advance(AHEAD_PAUSE_MS)
  expect(begun).toHaveLength(MAX_UNUSED_AHEAD + 1)
})

it('makes nothing when there is no id left, and gives up what it has', async () => {
  ahead.expect(TOPIC)
  await clock.advance(SOON_MS)
  begun[0]?.finish.resolve(prepared)
  next = undefined
  await clock.advance(AHEAD_PAUSE_MS + AHEAD_CHECK_MS)
  expect(begun).toHaveLength(1)
  expect(dropped).toBe(1)
})

it('warns once of inputs that cannot be proven ahead', async () => {
  ahead.expect(TOPIC)
  await clock.advance(SOON_MS)
  begun[0]?.finish.reject(new PostriderError('CIRCUITS_KEY_INVALID'))
  await clock.advance(AHEAD_PAUSE_MS * 3)
  expect(warnings.map(({ code }) => code)).toEqual(['CIRCUITS_KEY_INVALID'])
  expect(begun).toHaveLength(1)
  expect(ahead.take(inputs(0))).toBeUndefined()
})

it('stops its work when it is stopped', async () => {
  ahead.expect(TOPIC)
  await clock.advance(SOON_MS)
  await ahead.stop()
  expect(begun[0]?.signal.aborted).toBe(true)
  await clock.advance(AHEAD_PAUSE_MS * 2)
  expect(begun).toHaveLength(1)
})
