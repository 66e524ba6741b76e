/** Randomness as a port, so that tests can replay a run. */
export interface Random {
  /** `length` bytes from a CSPRNG. */
  bytes(length: number): Uint8Array
  /** A uniform number in [0, 1) for choices that are not secret. */
  fraction(): number
}

/** The platform's CSPRNG. */
export const systemRandom: Random = {
  bytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
  fraction: () => (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) / 2 ** 32,
}
