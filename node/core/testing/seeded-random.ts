import { createHash } from 'node:crypto'
import type { Random } from '../random.ts'

/** Deterministic randomness for tests: SHA-256 over seed and counter. Never use it for keys that matter. */
export function createSeededRandom(seed: string): Random {
  let counter = 0
  const block = (): Buffer => createHash('sha256').update(`${seed}/${counter++}`).digest()
  return {
    bytes(length) {
      const out = new Uint8Array(length)
      for (let at = 0; at < length; at += 32) out.set(block().subarray(0, Math.min(32, length - at)), at)
      return out
    },
    // 48 random bits make the modulo bias irrelevant for the small limits of tests.
    int: (limit) => block().readUIntBE(0, 6) % limit,
  }
}
