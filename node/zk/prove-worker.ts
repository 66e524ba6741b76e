// Worker thread of the prover pool.
import { createProver, type Prover, type RlnInputs } from '@postrider/circuits/engine'
import { serve } from './serve.ts'

export type ProveStart = { wasm: Uint8Array; zkey: Uint8Array }
export type ProveRequest = { inputs: RlnInputs }
export type ProveNote = 'abort'

let prover: Prover | undefined
let current: AbortController | undefined

serve<ProveStart, ProveRequest, ProveNote>({
  async start(artifacts) {
    prover = createProver(artifacts)
    await prover.ready()
  },
  async request({ inputs }) {
    current = new AbortController()
    return prover?.prove(inputs, { signal: current.signal })
  },
  note() {
    current?.abort()
  },
})
