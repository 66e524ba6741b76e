/** Something to time; returns a promise for what may run in several threads. */
export type Task = () => unknown

/**
 * Median time of one call of each task, ms. The tasks take turns, so that whatever else the machine does meanwhile
 * falls on all of them alike.
 */
export async function medians<Name extends string>(
  tasks: Record<Name, Task>,
  rounds: number,
): Promise<Record<Name, number>> {
  const entries = Object.entries(tasks) as [Name, Task][]
  const times = new Map<Name, number[]>(entries.map(([name]) => [name, []]))
  for (let round = -1; round < rounds; round++) {
    for (const [name, task] of entries) {
      const before = performance.now()
      await task()
      // The first round warms up compilers and caches.
      if (round >= 0) times.get(name)?.push(performance.now() - before)
    }
  }
  return Object.fromEntries(entries.map(([name]) => [name, median(times.get(name) ?? [])])) as Record<
    Name,
    number
  >
}

/** The middle one; the upper of two. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

/** Rounded for reading: three decimals. */
export const round = (value: number): number => Math.round(value * 1000) / 1000

/** Processor time that this process has used so far, all threads, ms. */
export function processorMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
