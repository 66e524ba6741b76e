/** The part of libp2p's `Logger` that every component calls. */
type SilentLogger = {
  (formatter: unknown, ...args: unknown[]): void
  error(formatter: unknown, ...args: unknown[]): void
  trace(formatter: unknown, ...args: unknown[]): void
  enabled: boolean
  newScope(name: string): SilentLogger
}

const ignore = () => undefined
const silent: SilentLogger = Object.assign(ignore, {
  error: ignore,
  trace: ignore,
  enabled: false,
  newScope: () => silent,
})

/** For libp2p's `logger` option. Its own makes a logger with its name, colour and terminal check for every stream. */
export const silentLogger = { forComponent: () => silent }
