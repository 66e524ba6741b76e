/** Which item gives way when the queue is full: the one that arrives, or the one that has waited longest. */
export type DropRule = 'newest' | 'oldest'

export type QueueOptions<T> = {
  /** Most items held. */
  limit: number
  /** Most total weight held, in the unit of `weight`; unlimited if absent. */
  maxWeight?: number
  /** Weight of one item, for example its bytes; 1 if absent. */
  weight?(item: T): number
  drop: DropRule
  /** Called once per dropped item, for a counter. */
  onDrop?(item: T): void
}

/** A first-in first-out queue that never grows past its limits and never blocks. */
export type BoundedQueue<T> = {
  /** Adds an item; returns how many items were dropped for it (with rule `newest`, 1 means: not taken). */
  push(item: T): number
  /** Takes the oldest item. */
  shift(): T | undefined
  /** Takes up to `max` of the oldest items, in order. */
  drain(max: number): T[]
  /** Empties the queue without counting drops; returns how many items it held. */
  clear(): number
  size(): number
  weight(): number
  /** Items dropped since creation. */
  dropped(): number
}

/** Creates a queue; every operation is O(1) amortised. */
export function createBoundedQueue<T>(options: QueueOptions<T>): BoundedQueue<T> {
  const { limit, drop, onDrop, maxWeight = Number.POSITIVE_INFINITY } = options
  const weigh = options.weight ?? (() => 1)
  let items: T[] = []
  let head = 0
  let total = 0
  let dropped = 0

  const size = () => items.length - head

  const shift = (): T | undefined => {
    if (head >= items.length) return undefined
    const item = items[head] as T
    items[head] = undefined as T
    head++
    total -= weigh(item)
    if (head > 64 && head * 2 > items.length) {
      items = items.slice(head)
      head = 0
    }
    return item
  }

  const count = (item: T): number => {
    dropped++
    onDrop?.(item)
    return 1
  }

  return {
    push(item) {
      const weight = weigh(item)
      if (weight > maxWeight || limit < 1) return count(item)
      const full = () => size() + 1 > limit || total + weight > maxWeight
      if (drop === 'newest' && full()) return count(item)
      let gone = 0
      while (full()) gone += count(shift() as T)
      items.push(item)
      total += weight
      return gone
    },
    shift,
    drain(max) {
      const taken: T[] = []
      while (taken.length < max && size() > 0) taken.push(shift() as T)
      return taken
    },
    clear() {
      const held = size()
      items = []
      head = 0
      total = 0
      return held
    },
    size,
    weight: () => total,
    dropped: () => dropped,
  }
}
