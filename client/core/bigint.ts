/** The larger of two. */
export function larger(a: bigint, b: bigint): bigint {
  if (a > b) return a
  return b
}

/** The smaller of two. */
export function smaller(a: bigint, b: bigint): bigint {
  if (a < b) return a
  return b
}
