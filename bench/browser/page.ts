// What the benchmark measures in the page. Ours runs in its worker, snarkjs on the page's thread: one thread each.
import type { RlnInputs } from '@postrider/circuits/engine'
import { createWorkerProver } from '@postrider/client/browser'
import { proveWithSnarkjs } from '../../circuits/testing/reference.ts'

async function timed<T>(task: Promise<T>): Promise<{ value: T; ms: number }> {
  const started = performance.now()
  return { value: await task, ms: performance.now() - started }
}

const read = async (name: string) => new Uint8Array(await (await fetch(`/keys/${name}`)).arrayBuffer())

const scenes = {
  /** A fresh worker: its keys, its first proof, the next ones, one made ahead and the rest of that. */
  async ours(messages: RlnInputs[]) {
    const engine = createWorkerProver()
    const load = await timed(engine.prepare())
    const proofs: number[] = []
    for (const inputs of messages) proofs.push((await timed(engine.prove(inputs))).ms)
    const [{ x, ...rest }] = messages as [RlnInputs]
    const ahead = await timed(engine.proveAhead(rest))
    const message = await timed(ahead.value.complete(x))
    await engine.close()
    return { load: load.ms, proofs, ahead: ahead.ms, message: message.ms }
  },
  async snarkjs(inputs: RlnInputs) {
    const [wasm, zkey] = await Promise.all(['rln.wasm', 'rln.zkey'].map(read))
    if (!wasm || !zkey) throw new TypeError('no keys')
    return (await timed(proveWithSnarkjs({ wasm, zkey }, inputs, { singleThread: true }))).ms
  },
}
export type Scenes = typeof scenes
Object.assign(globalThis, { scenes })
