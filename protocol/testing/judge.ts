import {
  EMPTY_SLOT,
  type NullifierSlot,
  type PrecheckContext,
  type PublicSignals,
  precheck,
  publicSignals,
  slotReducer,
  type Verdict,
} from '../rln/index.ts'

export type VerifyProof = (proof: Uint8Array, signals: PublicSignals) => Promise<boolean>

/**
 * The smallest node: prechecks a message, keeps a nullifier log, asks the verifier. One message after the other.
 */
export function createJudge(verifyProof: VerifyProof) {
  const slots = new Map<string, NullifierSlot>()
  let received = 0
  return async (data: Uint8Array, pubsubTopic: string, context: PrecheckContext): Promise<Verdict> => {
    const checked = precheck(data, pubsubTopic, context)
    if (!checked.ok) return checked.verdict
    const { proof, externalNullifier } = checked
    const key = `${externalNullifier}/${proof.nullifier}`
    const id = `${received++}`
    let { slot, effects } = slotReducer(slots.get(key) ?? EMPTY_SLOT, {
      type: 'arrived',
      entry: { id, x: proof.x, y: proof.y },
    })
    if (effects[0]?.type === 'verify') {
      const valid = await verifyProof(proof.proof, publicSignals(proof, externalNullifier))
      ;({ slot, effects } = slotReducer(slot, { type: 'verified', id, valid }))
    }
    slots.set(key, slot)
    const [decision] = effects
    if (decision?.type !== 'decide') throw new Error('a message without a verdict')
    return decision.verdict
  }
}
