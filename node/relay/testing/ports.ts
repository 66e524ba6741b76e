import { PostriderError } from '@postrider/protocol/errors'
import type { Clock } from '../../core/clock.ts'
import type { EvidenceStore, FoundBreach, MembershipRoots, ProofVerifier, SlashCaseRecord } from '../types.ts'
import { isValidStandIn, ROOT } from './messages.ts'

/** Roots that a test can add to. */
export function createTestRoots(
  ...known: bigint[]
): MembershipRoots & { add(root: bigint): void; lookups(): number } {
  const roots = new Set([ROOT, ...known])
  let lookups = 0
  return {
    isKnown(root) {
      lookups++
      return roots.has(root)
    },
    add: (root) => void roots.add(root),
    lookups: () => lookups,
  }
}

/** Answers at once by the stand-in's flag. */
export function createTestVerifier(): ProofVerifier & { calls(): number } {
  let calls = 0
  return {
    canAccept: () => true,
    isTrusted: () => true,
    async verify(proof) {
      calls++
      return isValidStandIn(proof)
    },
    calls: () => calls,
  }
}

/** Answers when told, in any order: for interleavings. */
export function createManualVerifier(): ProofVerifier & {
  /** Sources that are not trusted. */
  newcomers: Set<string>
  waiting(): number
  /** Answers the `index`-th waiting proof by its flag. */
  answer(index?: number): Promise<void>
  /** Fails the `index`-th waiting proof. */
  fail(index?: number): Promise<void>
  full: boolean
} {
  const jobs: { proof: Uint8Array; resolve(valid: boolean): void; reject(error: unknown): void }[] = []
  const take = (index: number) => {
    const [job] = jobs.splice(index, 1)
    if (!job) throw new RangeError(`no waiting proof ${index}`)
    return job
  }
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve))
  return {
    full: false,
    newcomers: new Set(),
    canAccept() {
      return !this.full
    },
    isTrusted(source) {
      return !this.newcomers.has(source)
    },
    verify: (proof) => new Promise((resolve, reject) => jobs.push({ proof, resolve, reject })),
    waiting: () => jobs.length,
    answer(index = 0) {
      const { proof, resolve } = take(index)
      resolve(isValidStandIn(proof))
      return settle()
    },
    fail(index = 0) {
      take(index).reject(new PostriderError('ZK_WORKER_FAILED'))
      return settle()
    },
  }
}

/** Evidence in memory: the reference of the port, and what tests use. */
export function createMemoryEvidence(clock: Pick<Clock, 'nowMs'>): EvidenceStore {
  const cases = new Map<bigint, SlashCaseRecord>()
  return {
    async add(breach: FoundBreach) {
      if (cases.has(breach.commitment)) return false
      const nowMs = clock.nowMs()
      cases.set(breach.commitment, {
        ...breach,
        state: 'found',
        attempts: 0,
        foundMs: nowMs,
        updatedMs: nowMs,
      })
      return true
    },
    get: async (commitment) => cases.get(commitment),
    async list({ states } = {}) {
      return [...cases.values()]
        .filter(({ state }) => states?.includes(state) ?? true)
        .sort((a, b) => b.foundMs - a.foundMs || (a.commitment < b.commitment ? -1 : 1))
    },
    async update(commitment, progress) {
      const found = cases.get(commitment)
      if (!found) throw new PostriderError('RELAY_CASE_UNKNOWN')
      cases.set(commitment, { ...found, ...progress, updatedMs: clock.nowMs() })
    },
  }
}
