import { ROOT_WINDOW } from '@postrider/protocol/rln'
import { ROOT_MAX_AGE_SECONDS } from './constants.ts'

/** The last roots, one per block that changed the group, and the chain's time. */
export function createRootWindow() {
  let roots: { root: bigint; timestamp: number }[] = []
  let now = 0
  // The newest root has no successor: it never gets old.
  const acceptable = (successor: { timestamp: number } | undefined): boolean =>
    !successor || now - successor.timestamp <= ROOT_MAX_AGE_SECONDS
  return {
    add(root: bigint, timestamp: number) {
      roots = [...roots, { root, timestamp }].slice(-ROOT_WINDOW)
    },
    setTime(timestamp: number) {
      now = timestamp
    },
    clear() {
      roots = []
    },
    has(root: bigint): boolean {
      // The last one counts: erasing the newest member brings an older root back.
      const at = roots.findLastIndex((known) => known.root === root)
      return at >= 0 && acceptable(roots[at + 1])
    },
    size: (): number => roots.filter((_, at) => acceptable(roots[at + 1])).length,
  }
}
