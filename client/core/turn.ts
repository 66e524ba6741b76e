/**
 * Runs a callback at the end of this turn of the event loop: in Node after everything that is ready now. Browsers have
 * nothing like it; there it runs when the code that runs now is done.
 */
export const atEndOfTurn: (run: () => void) => void =
  typeof setImmediate === 'function' ? (run) => void setImmediate(run) : (run) => queueMicrotask(run)
