import type { Clock, Timer } from '../core/clock.ts'
import { MAX_ROOT_WAITERS, MAX_ROOT_WAITERS_PER_PEER, ROOT_POLL_MS, ROOT_WAIT_MS } from './constants.ts'
import type { MembershipRoots } from './types.ts'

/** Holds messages whose root is not known yet. It only looks in memory: no message makes the node ask the chain. */
export type RootWait = {
  /** True once the root is known; false when it did not come in time or there is no room to wait. */
  wait(root: bigint, peer: string): Promise<boolean>
  waiting(): number
  start(): void
  /** Ends every wait with false. */
  stop(): void
}

type Waiter = { root: bigint; peer: string; untilMs: number; resolve(known: boolean): void }

export function createRootWait(components: { roots: MembershipRoots; clock: Clock }): RootWait {
  const { roots, clock } = components
  const waiters = new Set<Waiter>()
  let timer: Timer | undefined

  const end = (waiter: Waiter, known: boolean) => {
    waiters.delete(waiter)
    waiter.resolve(known)
  }

  const poll = () => {
    const nowMs = clock.nowMs()
    for (const waiter of waiters) {
      if (roots.isKnown(waiter.root)) end(waiter, true)
      else if (nowMs >= waiter.untilMs) end(waiter, false)
    }
  }

  const waitingOf = (peer: string): number => {
    let count = 0
    for (const waiter of waiters) if (waiter.peer === peer) count++
    return count
  }

  return {
    wait(root, peer) {
      if (!timer || waiters.size >= MAX_ROOT_WAITERS || waitingOf(peer) >= MAX_ROOT_WAITERS_PER_PEER) {
        return Promise.resolve(false)
      }
      return new Promise((resolve) => {
        waiters.add({ root, peer, untilMs: clock.nowMs() + ROOT_WAIT_MS, resolve })
      })
    },
    waiting: () => waiters.size,
    start() {
      timer ??= clock.every(ROOT_POLL_MS, poll)
    },
    stop() {
      timer?.stop()
      timer = undefined
      for (const waiter of waiters) end(waiter, false)
    },
  }
}
