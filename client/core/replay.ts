/** A short series of values that any number of readers see from its first value to its end. */
export interface Replay<T> extends AsyncIterable<T> {
  push(value: T): void
  /** Ends the series; with an error, readers get it after the last value. */
  end(error?: unknown): void
}

/** For series that the client itself produces in a small number (the states of one publish): all are kept. */
export function createReplay<T>(): Replay<T> {
  const values: T[] = []
  let ended = false
  let failure: unknown
  let wake = Promise.withResolvers<void>()
  const notify = () => {
    wake.resolve()
    wake = Promise.withResolvers<void>()
  }
  return {
    push(value) {
      if (ended) return
      values.push(value)
      notify()
    },
    end(error) {
      if (ended) return
      ended = true
      failure = error
      notify()
    },
    async *[Symbol.asyncIterator]() {
      for (let at = 0; ; ) {
        while (at < values.length) yield values[at++] as T
        if (!ended) await wake.promise
        else if (failure !== undefined) throw failure
        else return
      }
    },
  }
}
