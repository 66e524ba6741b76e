// A verifier worker whose verdict is written in the proof's first byte, so that tests decide what happens.
import type { ProofItem } from '@postrider/circuits/engine'
import { serve } from '../serve.ts'
import type { VerifyRequest } from '../verify-worker.ts'

export const SCRIPT = { invalid: 0, valid: 1, exit: 2, error: 3, exitOnce: 4 } as const

/** What the test passes as the verification key. `gate[0]` = 0 holds every batch; `gate[1]` counts exits. */
export type ScriptedKey = { gate: Int32Array<SharedArrayBuffer>; failStart?: boolean }

let gate: Int32Array<SharedArrayBuffer> | undefined

function verdict({ proof }: ProofItem): boolean {
  if (gate === undefined) return false
  const exits = Atomics.load(gate, 1)
  if (proof[0] === SCRIPT.exit || (proof[0] === SCRIPT.exitOnce && exits === 0)) {
    Atomics.add(gate, 1, 1)
    process.exit(1)
  }
  if (proof[0] === SCRIPT.error) throw new RangeError('scripted')
  return proof[0] === SCRIPT.valid
}

serve<{ verificationKey: ScriptedKey }, VerifyRequest>({
  fatal: true,
  async start({ verificationKey }) {
    if (verificationKey.failStart) throw new RangeError('scripted')
    gate = verificationKey.gate
  },
  async request({ items }) {
    if (gate !== undefined) Atomics.wait(gate, 0, 0)
    return items.map(verdict)
  },
})
