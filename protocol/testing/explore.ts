export type Exploration<State, Event> = {
  initial: State
  /** Everything that can happen next. */
  events(state: State): readonly Event[]
  step(state: State, event: Event): State
  /** Throws when an invariant does not hold; sees every state, and every transition into it. */
  check(state: State, before?: State, event?: Event): void
  /** States with the same key are one; by content unless given. */
  key?(state: State): string
  /** A run that reaches more states than this has a model that does not end. */
  maxStates?: number
}

export type Explored<State> = {
  states: readonly State[]
  transitions: number
  /** States from which nothing can happen. */
  ends: readonly State[]
}

/**
 * Visits every state that a reducer can reach, breadth first, and checks each transition. When a check fails,
 * the error tells the shortest way there.
 */
export function explore<State, Event>(model: Exploration<State, Event>): Explored<State> {
  const { maxStates = 200_000, key = keyOf } = model
  const found: State[] = [model.initial]
  const trail: { parent: number; event?: Event }[] = [{ parent: -1 }]
  const seen = new Set([key(model.initial)])
  const ends: State[] = []
  let transitions = 0
  model.check(model.initial)
  for (let at = 0; at < found.length; at++) {
    const state = found[at] as State
    const events = model.events(state)
    if (events.length === 0) ends.push(state)
    for (const event of events) {
      transitions++
      const next = checkedStep(model, state, event, () => wayTo(trail, at))
      const name = key(next)
      if (seen.has(name)) continue
      seen.add(name)
      found.push(next)
      trail.push({ parent: at, event })
      if (found.length > maxStates) throw new Error(`more than ${maxStates} states`)
    }
  }
  return { states: found, transitions, ends }
}

function checkedStep<State, Event>(
  model: Exploration<State, Event>,
  state: State,
  event: Event,
  way: () => Event[],
): State {
  try {
    const next = model.step(state, event)
    model.check(next, state, event)
    return next
  } catch (cause) {
    const steps = [...way(), event].map(keyOf).join('\n  ')
    throw new Error(`invariant broken after\n  ${steps}\n${cause}`, { cause })
  }
}

function wayTo<Event>(trail: readonly { parent: number; event?: Event }[], at: number): Event[] {
  const way: Event[] = []
  for (let i = at; i > 0; i = trail[i]?.parent ?? 0) way.unshift(trail[i]?.event as Event)
  return way
}

/** States and events by content. */
export function keyOf(value: unknown): string {
  return JSON.stringify(value, (_key, inner) => {
    if (typeof inner === 'bigint') return `${inner}n`
    if (inner instanceof Uint8Array) return Array.from(inner)
    return inner instanceof Map ? [...inner] : inner
  })
}
