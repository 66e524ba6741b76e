import { randomBytes, randomInt } from 'node:crypto'

/** Randomness as a port, so that tests and the simulator can replay a run from its seed. */
export type Random = {
  /** `length` bytes; from the system's CSPRNG in production. */
  bytes(length: number): Uint8Array
  /** A uniform integer in 0..limit-1; `limit` is at most 2^48 - 1. */
  int(limit: number): number
}

/** The system's CSPRNG. */
export const systemRandom: Random = {
  bytes: (length) => Uint8Array.from(randomBytes(length)),
  int: (limit) => randomInt(limit),
}
