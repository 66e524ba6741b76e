import { vi } from 'vitest'

/** Sockets, handshakes and heartbeats of real hosts take a second on a busy machine; what takes this long is lost. */
const PATIENCE_MS = 20_000

/** Resolves with what `check` returns once it throws no more. */
export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: PATIENCE_MS })
}
