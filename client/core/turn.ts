// Declared here, as an application for browsers has no types of Node.
const { setImmediate } = globalThis as { setImmediate?: (run: () => void) => unknown }

/**
 * Runs a callback at the end of this turn of the event loop: in Node after everything that is ready now. Browsers have
 * nothing like it; there it runs when the code that runs now is done.
 */
export const atEndOfTurn: (run: () => void) => void = (run) => {
  if (setImmediate) setImmediate(run)
  else queueMicrotask(run)
}
