import { PostriderError } from '@postrider/protocol/errors'
import { createEquation, type Equation, GROUP_SIZE, TABLE_SIZE } from './pairing/equation.ts'
import type { ProofItem, VerificationKey, Verifier } from './types.ts'

/**
 * A verifier for one key. Its engine is made at once and in the background; the first call waits for it.
 *
 * @throws nothing; a key that cannot be used rejects every call with CIRCUITS_KEY_INVALID
 */
export function createVerifier(key: VerificationKey): Verifier {
  const engine = createEquation(key)
  engine.catch(() => {})
  let closed = false

  async function use(): Promise<Equation> {
    const equation = await engine
    if (closed) throw new PostriderError('CIRCUITS_ENGINE_CLOSED')
    return equation
  }

  return {
    async ready() {
      await use()
    },
    async verify(proof, signals) {
      const equation = await use()
      return equation.load(0, proof, signals) && equation.holds(0)
    },
    async verifyBatch(items) {
      const equation = await use()
      const verdicts: boolean[] = []
      for (let from = 0; from < items.length; from += TABLE_SIZE) {
        verdicts.push(...verifyTable(equation, items.slice(from, from + TABLE_SIZE)))
      }
      return verdicts
    },
    async close() {
      closed = true
    },
  }
}

function verifyTable(equation: Equation, items: readonly ProofItem[]): boolean[] {
  const verdicts = items.map(() => false)
  // Slot → item: what does not decode takes no slot.
  const loaded: number[] = []
  for (const [item, { proof, signals }] of items.entries()) {
    if (equation.load(loaded.length, proof, signals)) loaded.push(item)
  }
  if (loaded.length > 1) equation.randomize(loaded.length)
  for (const slot of findValid(equation, 0, loaded.length, false)) verdicts[loaded[slot] ?? 0] = true
  return verdicts
}

/**
 * The slots from .. to - 1 whose proofs hold, by bisection down to groups. One bad proof among 64 costs about two
 * thirds of the batch again, eight in one group no more than that, 64 bad ones four times the batch.
 *
 * @param bad the combined equation of these slots is known to fail
 */
export function findValid(
  equation: Pick<Equation, 'holds' | 'allHold'>,
  from: number,
  to: number,
  bad: boolean,
): number[] {
  const size = to - from
  if (size === 0) return []
  if (size === 1) return !bad && equation.holds(from) ? [from] : []
  const slots = Array.from({ length: size }, (_, i) => from + i)
  if (!bad && equation.allHold(from, to)) return slots
  // Halving a group further costs more than its proofs one by one, most of all when several of them are bad.
  if (size <= GROUP_SIZE) return slots.filter(equation.holds)
  const middle = from + Math.ceil(size / 2 / GROUP_SIZE) * GROUP_SIZE
  const left = findValid(equation, from, middle, false)
  // All of the left half hold, so the fault is on the right and need not be looked for there again.
  const right = findValid(equation, middle, to, left.length === middle - from)
  return [...left, ...right]
}
