// Stands in for vitest in the page: collects the suite's tests, with the few expectations that it uses.

type Test = () => Promise<void>

/** By name. */
export const tests = new Map<string, Test>()

export const it = (name: string, test: Test): void => void tests.set(name, test)
export const describe = (_name: string, collect: () => void): void => collect()

export function expect(actual: unknown) {
  const check = (holds: boolean, what: string) => {
    if (!holds) throw new TypeError(`expected ${show(actual)} ${what}`)
  }
  return {
    toBe: (wanted: unknown) => check(Object.is(actual, wanted), `to be ${show(wanted)}`),
    toBeUndefined: () => check(actual === undefined, 'to be undefined'),
    toEqual: (wanted: unknown) => check(show(actual) === show(wanted), `to equal ${show(wanted)}`),
    toHaveLength: (length: number) =>
      check((actual as unknown[]).length === length, `to have length ${length}`),
    rejects: {
      async toMatchObject(wanted: Record<string, unknown>) {
        const failure = await (actual as Promise<unknown>).then(
          () => undefined,
          (error: Record<string, unknown>) => error,
        )
        const matches = Object.entries(wanted).every(([key, value]) => failure?.[key] === value)
        check(matches, `to reject with ${show(wanted)}, not ${failure}`)
      },
    },
  }
}

/** Equal for equal values: order of keys and kind of bytes included. */
function show(value: unknown): string {
  const mark = (_key: string, part: unknown) => {
    if (part instanceof Uint8Array) return `bytes ${[...part].join()}`
    return part === undefined ? 'undefined' : part
  }
  return JSON.stringify(value, mark)
}
