import type { Clock, Timer } from '../core/clock.ts'
import { HEALTH_POLL_MS } from './constants.ts'
import type { HealthView, NodeEvent, Subsystem } from './types.ts'

const isUp = ({ state }: Subsystem): boolean => state === 'ok' || state === 'degraded'

/** Names of the required subsystems that are not up; none means ready. */
export function waitingFor(subsystems: readonly Subsystem[]): string[] {
  return subsystems.filter((subsystem) => subsystem.required && !isUp(subsystem)).map(({ name }) => name)
}

/** The whole report: not-ready outweighs degraded, which any subsystem that is not ok causes. */
export function report(subsystems: readonly Subsystem[]) {
  const ready = waitingFor(subsystems).length === 0
  const allOk = subsystems.every(({ state }) => state === 'ok')
  const status: 'ok' | 'degraded' | 'not-ready' = ready ? (allOk ? 'ok' : 'degraded') : 'not-ready'
  return { status, ready, subsystems: [...subsystems] }
}

/** Publishes each change of a subsystem's state or reason as an event. */
export function createHealthWatch(components: {
  clock: Clock
  view: HealthView
  publish(event: NodeEvent): void
}): { start(): void; stop(): void } {
  const { clock, view, publish } = components
  const last = new Map<string, string>()
  let timer: Timer | undefined

  const compare = (announce: boolean) => {
    for (const subsystem of view.subsystems()) {
      const { name, state, reason } = subsystem
      const now = `${state} ${reason ?? ''}`
      if (last.get(name) === now) continue
      last.set(name, now)
      if (announce) publish({ type: 'health.changed', data: subsystem })
    }
  }

  return {
    start() {
      compare(false)
      timer = clock.every(HEALTH_POLL_MS, () => compare(true))
    },
    stop: () => timer?.stop(),
  }
}
