import { describe, expect, it } from 'vitest'
import { explore } from '../testing/explore.ts'
import { MAX_SLOT_PREFERRED, MAX_SLOT_VERIFYING, MAX_SLOT_WAITING } from './constants.ts'
import {
  EMPTY_SLOT,
  type NullifierSlot,
  type SlotEffect,
  type SlotEntry,
  type SlotEvent,
  share,
  slotIsIdle,
  slotReducer,
  type Verdict,
} from './index.ts'

const SECRET = 77n
const point = (x: bigint) => ({ x, y: share(SECRET, 5n, 0, x).y })
const A = point(11n)
const B = point(12n)
const C = point(13n)
/** The y of no line: its proof cannot be valid. */
const FORGED = { x: 11n, y: 1n }

type Message = SlotEntry & { valid: boolean; preferred?: boolean }
type World = {
  slot: NullifierSlot
  unsent: Message[]
  verifying: string[]
  decided: [id: string, verdict: string][]
}

const label = (verdict: Verdict) => ('code' in verdict ? `${verdict.kind} ${verdict.code}` : verdict.kind)

function apply(world: World, event: SlotEvent, before: Partial<World>): World {
  const { slot, effects } = slotReducer(world.slot, event)
  const asked = effects.flatMap((effect) => (effect.type === 'verify' ? [effect.entry.id] : []))
  const decided = effects.flatMap((effect): [string, string][] =>
    effect.type === 'decide' ? [[effect.id, label(effect.verdict)]] : [],
  )
  const next = { ...world, ...before }
  return {
    ...next,
    slot,
    verifying: [...next.verifying, ...asked].sort(),
    decided: [...next.decided, ...decided],
  }
}

/** Every order of arrival, of the verifier's answers and of its failures, for the given messages. */
function exploreOrders(messages: Message[], dropping: boolean) {
  const byId = new Map(messages.map((message) => [message.id, message]))
  type Move = { id: string; what: 'arrive' | 'answer' | 'drop' }
  return explore<World, Move>({
    initial: { slot: EMPTY_SLOT, unsent: messages, verifying: [], decided: [] },
    events: ({ unsent, verifying }) => [
      ...unsent.map(({ id }): Move => ({ id, what: 'arrive' })),
      ...verifying.flatMap((id): Move[] =>
        dropping
          ? [
              { id, what: 'answer' },
              { id, what: 'drop' },
            ]
          : [{ id, what: 'answer' }],
      ),
    ],
    step(world, { id, what }) {
      const { valid, preferred = false, ...entry } = byId.get(id)!
      if (what === 'arrive') {
        return apply(
          world,
          { type: 'arrived', entry, preferred },
          { unsent: world.unsent.filter((message) => message.id !== id) },
        )
      }
      const verifying = world.verifying.filter((other) => other !== id)
      return apply(
        world,
        what === 'drop' ? { type: 'dropped', id, code: 'RELAY_OVERLOADED' } : { type: 'verified', id, valid },
        { verifying },
      )
    },
    check(world) {
      const { slot, verifying, decided, unsent } = world
      // Never two accepted, never two breaches, nobody decided twice.
      expect(decided.filter(([, verdict]) => verdict === 'accept').length).toBeLessThanOrEqual(1)
      expect(decided.filter(([, verdict]) => verdict.startsWith('breach')).length).toBeLessThanOrEqual(1)
      expect(new Set(decided.map(([id]) => id)).size).toBe(decided.length)
      for (const [id, verdict] of decided) {
        const { valid } = byId.get(id)!
        // An invalid proof is never accepted, never a breach; a valid one is never rejected.
        if (!valid) expect(verdict).not.toMatch(/^(accept|breach)/)
        else expect(verdict).not.toMatch(/^reject/)
      }
      // The verifier works on just what the slot thinks, on no share twice.
      expect(slot.verifying.map(({ id }) => id).sort()).toEqual(verifying)
      const others = slot.verifying.filter(({ id }) => !byId.get(id)!.preferred)
      expect(new Set(others.map(({ x, y }) => `${x} ${y}`)).size).toBe(others.length)
      expect(slot.verifying.length).toBeLessThanOrEqual(MAX_SLOT_VERIFYING + MAX_SLOT_PREFERRED)
      expect(slot.waiting.length).toBeLessThanOrEqual(MAX_SLOT_WAITING)
      // At rest everyone has a verdict.
      if (verifying.length === 0) {
        expect(slot.waiting).toEqual([])
        expect(decided.length + unsent.length).toBe(messages.length)
        expect(slotIsIdle(slot)).toBe(slot.accepted === undefined)
      }
    },
  })
}

describe('nullifier slot, every interleaving', () => {
  it('of two shares and copies of each, good and bad', () => {
    const { ends, states } = exploreOrders(
      [
        { id: 'a1', ...A, valid: true },
        { id: 'a2', ...A, valid: true },
        { id: 'a-bad', ...A, valid: false },
        { id: 'b1', ...B, valid: true },
        { id: 'b-bad', ...B, valid: false },
      ],
      false,
    )
    expect(states.length).toBeGreaterThan(500)
    for (const { decided } of ends) {
      const verdicts = decided.map(([, verdict]) => verdict)
      expect(verdicts).toContain('accept')
      expect(verdicts).toContain('breach RLN_BREACH')
    }
  })

  it('with a verifier that may give no answer', () => {
    const { states } = exploreOrders(
      [
        { id: 'a1', ...A, valid: true },
        { id: 'a2', ...A, valid: true },
        { id: 'b1', ...B, valid: true },
        { id: 'a-bad', ...A, valid: false },
      ],
      true,
    )
    expect(states.length).toBeGreaterThan(500)
  })

  it('with preferred copies, which wait for none', () => {
    for (const dropping of [false, true]) {
      const { ends, states } = exploreOrders(
        [
          { id: 'a1', ...A, valid: true },
          { id: 'a-bad', ...A, valid: false },
          { id: 'a-preferred', ...A, valid: true, preferred: true },
          { id: 'b-preferred', ...B, valid: true, preferred: true },
        ],
        dropping,
      )
      expect(states.length).toBeGreaterThan(200)
      if (dropping) continue
      for (const { decided } of ends) expect(decided.map(([, verdict]) => verdict)).toContain('accept')
    }
  })

  it('of three shares and a forged one', () => {
    const { ends } = exploreOrders(
      [
        { id: 'a', ...A, valid: true },
        { id: 'b', ...B, valid: true },
        { id: 'c', ...C, valid: true },
        { id: 'forged', ...FORGED, valid: false },
      ],
      false,
    )
    for (const { decided } of ends) {
      const verdicts = decided.map(([, verdict]) => verdict)
      expect(verdicts).toEqual(
        expect.arrayContaining(['accept', 'breach RLN_BREACH', 'ignore RLN_NULLIFIER_SPENT']),
      )
    }
  })

  it('always lets an honest message through, whatever bad copies surround it', () => {
    const { ends } = exploreOrders(
      [
        { id: 'honest', ...A, valid: true },
        { id: 'bad-copy', ...A, valid: false },
        { id: 'other-bad-copy', ...A, valid: false },
        { id: 'bad-share', ...B, valid: false },
        { id: 'forged', ...FORGED, valid: false },
      ],
      false,
    )
    for (const { decided } of ends) expect(decided).toContainEqual(['honest', 'accept'])
  })
})

describe('nullifier slot', () => {
  const run = (events: SlotEvent[]) => {
    let slot = EMPTY_SLOT
    const effects: SlotEffect[] = []
    for (const event of events) {
      const step = slotReducer(slot, event)
      slot = step.slot
      effects.push(...step.effects)
    }
    return { slot, effects }
  }
  const arrived = (id: string, at: { x: bigint; y: bigint }): SlotEvent => ({
    type: 'arrived',
    entry: { id, ...at },
  })

  it('recovers the secret of a breach and names the accepted message', () => {
    const { effects } = run([
      arrived('a', A),
      { type: 'verified', id: 'a', valid: true },
      arrived('b', B),
      { type: 'verified', id: 'b', valid: true },
    ])
    expect(effects.at(-1)).toMatchObject({
      id: 'b',
      against: 'a',
      verdict: { kind: 'breach', secret: SECRET },
    })
  })

  it('is busy when too many shares or copies are in flight', () => {
    const shares = Array.from({ length: MAX_SLOT_VERIFYING + 1 }, (_, i) =>
      arrived(`s${i}`, point(BigInt(20 + i))),
    )
    expect(run(shares).effects.at(-1)).toMatchObject({ verdict: { kind: 'ignore', code: 'RLN_SLOT_BUSY' } })
    const copies = Array.from({ length: MAX_SLOT_WAITING + 2 }, (_, i) => arrived(`c${i}`, A))
    expect(run(copies).effects.at(-1)).toMatchObject({ verdict: { kind: 'ignore', code: 'RLN_SLOT_BUSY' } })
  })

  it('has a place for a preferred message, whatever others keep the verifier busy with', () => {
    const guesses = Array.from({ length: MAX_SLOT_VERIFYING }, (_, i) =>
      arrived(`s${i}`, point(BigInt(20 + i))),
    )
    const { effects } = run([...guesses, { ...arrived('honest', A), preferred: true } as SlotEvent])
    expect(effects.at(-1)).toMatchObject({ type: 'verify', entry: { id: 'honest' } })
  })

  it('does not answer for messages that it was not asked about', () => {
    expect(run([{ type: 'verified', id: 'x', valid: true }]).slot).toBe(EMPTY_SLOT)
  })
})
