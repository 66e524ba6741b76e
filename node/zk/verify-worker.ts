// Worker thread of the proof verifier: one engine, no threads of its own.
import {
  createVerifier,
  type ProofItem,
  type VerificationKey,
  type Verifier,
} from '@postrider/circuits/engine'
import { serve } from './serve.ts'

export type VerifyStart = { verificationKey: VerificationKey }
/** `apart`: each proof by itself, because one of this source was bad before. */
export type VerifyRequest = { items: ProofItem[]; apart: boolean }

let verifier: Verifier | undefined

serve<VerifyStart, VerifyRequest>({
  // The engine answers for whatever bytes; if it throws, a wrong verdict could follow, and an honest peer pay for it.
  fatal: true,
  async start({ verificationKey }) {
    verifier = createVerifier(verificationKey)
    await verifier.ready()
  },
  async request({ items, apart }) {
    if (!apart) return verifier?.verifyBatch(items)
    const verdicts: (boolean | undefined)[] = []
    for (const { proof, signals } of items) verdicts.push(await verifier?.verify(proof, signals))
    return verdicts
  },
})
