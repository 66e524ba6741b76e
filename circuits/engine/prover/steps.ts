// Work in steps: a generator yields between them, and whoever runs it looks at the caller's wishes there. The longest
// step takes some 150 ms on a laptop: that is how soon an abort stops the work.

/**
 * A part of the work as shares of the whole. How many steps the part has is not known, so each goes half of the way
 * that is left from `from` to `to`.
 */
export function* within<T>(part: Generator<void, T>, from: number, to: number): Generator<number, T> {
  let left = to - from
  for (;;) {
    const { done, value } = part.next()
    if (done) return value
    left /= 2
    yield to - left
  }
}
