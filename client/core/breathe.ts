/** Lets the event loop turn between two pieces of long work, so that a page stays alive. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve))
}
