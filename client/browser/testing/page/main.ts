// What the tests can ask this page to do: see `play` in test/support/page.ts.
import { chat } from './chat.ts'
import { prover } from './prover.ts'
import { storage } from './storage.ts'

const scenes = { ...prover, ...storage, ...chat }
export type Scenes = typeof scenes
Object.assign(globalThis, { scenes })
