/** What a figure is held to; a benchmark that misses one ends with exit code 1. */
export type Bound = { what: string; value: number } & ({ atLeast: number } | { below: number })

/** The bounds that are missed, as sentences. A figure that is no number misses every bound. */
export function missedBounds(bounds: readonly Bound[]): string[] {
  return bounds.flatMap((bound) => {
    const { what, value } = bound
    if ('atLeast' in bound)
      return value >= bound.atLeast ? [] : [`${what} is ${value}, to reach: at least ${bound.atLeast}`]
    return value < bound.below ? [] : [`${what} is ${value}, to reach: below ${bound.below}`]
  })
}
