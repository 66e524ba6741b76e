/** Digits 1, 0, -1 of n > 0 below its leading one, highest first, no two neighbours both non-zero. */
export function nonAdjacentForm(n: bigint): number[] {
  const digits: number[] = []
  for (let rest = n; rest > 0n; rest >>= 1n) {
    const digit = rest & 1n ? 2 - Number(rest & 3n) : 0
    digits.push(digit)
    rest -= BigInt(digit)
  }
  return digits.reverse().slice(1)
}
