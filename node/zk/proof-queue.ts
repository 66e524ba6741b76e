// Which proofs are checked next. Pure: no threads, no clock.
//
// Sources take turns, so that a loud one does not delay a quiet one. A source that sent an invalid proof is
// suspect: its proofs are checked one by one, never in a batch with others', and rarely while others wait. It is
// trusted again after enough valid ones.
import {
  HONEST_PER_SUSPECT,
  MAX_BATCH,
  MAX_SUSPECTS,
  REHABILITATION,
  SUSPECT_BATCH,
  SUSPECT_QUEUE_LIMIT,
} from './constants.ts'

export type ProofQueueOptions = { limit: number; sourceLimit: number }

export type Taken<T> = { jobs: T[]; apart: boolean }

export interface ProofQueue<T extends { readonly source: string }> {
  /** Whether a job of a new source would be taken. */
  hasRoom(): boolean
  add(job: T): 'added' | 'full' | 'source-full'
  /** Puts jobs that were taken back in front, whatever the limits. */
  putBack(jobs: readonly T[]): void
  /** The next jobs for one worker; none when nothing waits. */
  take(): Taken<T>
  /** Removes and returns everything. */
  drain(): T[]
  size(): number
  /** What a check said about a job's source. */
  learn(source: string, valid: boolean): void
  isSuspect(source: string): boolean
}

export function createProofQueue<T extends { readonly source: string }>(
  options: ProofQueueOptions,
): ProofQueue<T> {
  const { limit, sourceLimit } = options
  const waiting = new Map<string, T[]>()
  // Source → valid proofs still to come before it is trusted. Insertion order is the order of the last failure.
  const suspects = new Map<string, number>()
  let size = 0
  let credit = 0

  const sources = (suspect: boolean) =>
    [...waiting.keys()].filter((source) => suspects.has(source) === suspect)

  /** Takes up to `max`, one from each source in turn; who was served goes to the back of the round. */
  function takeInTurns(round: readonly string[], max: number): T[] {
    const jobs: T[] = []
    let turn = [...round]
    while (jobs.length < max && turn.length > 0) {
      turn = turn.filter((source) => {
        if (jobs.length >= max) return true
        const queue = waiting.get(source) ?? []
        const job = queue.shift()
        if (job !== undefined) jobs.push(job)
        waiting.delete(source)
        if (queue.length > 0) waiting.set(source, queue)
        return queue.length > 0
      })
    }
    size -= jobs.length
    return jobs
  }

  return {
    hasRoom: () => size < limit,
    add(job) {
      if (size >= limit) return 'full'
      const queue = waiting.get(job.source) ?? []
      const max = suspects.has(job.source) ? Math.min(SUSPECT_QUEUE_LIMIT, sourceLimit) : sourceLimit
      if (queue.length >= max) return 'source-full'
      queue.push(job)
      waiting.set(job.source, queue)
      size++
      return 'added'
    },
    putBack(jobs) {
      for (const job of jobs.toReversed()) waiting.set(job.source, [job, ...(waiting.get(job.source) ?? [])])
      size += jobs.length
    },
    take() {
      const honest = sources(false)
      const suspicious = sources(true)
      const allowed = honest.length === 0 ? SUSPECT_BATCH : Math.min(SUSPECT_BATCH, Math.floor(credit))
      if (suspicious.length > 0 && allowed > 0) {
        const jobs = takeInTurns(suspicious, allowed)
        credit = Math.max(0, credit - jobs.length)
        return { jobs, apart: true }
      }
      const jobs = takeInTurns(honest, MAX_BATCH)
      // Unused credit does not pile up: a suspect that kept quiet gets no burst.
      credit = Math.min(SUSPECT_BATCH, credit + jobs.length / HONEST_PER_SUSPECT)
      return { jobs, apart: false }
    },
    drain() {
      const jobs = [...waiting.values()].flat()
      waiting.clear()
      size = 0
      return jobs
    },
    size: () => size,
    learn(source, valid) {
      const left = suspects.get(source)
      if (!valid) {
        suspects.delete(source)
        suspects.set(source, REHABILITATION)
        for (const oldest of suspects.keys()) {
          if (suspects.size <= MAX_SUSPECTS) break
          suspects.delete(oldest)
        }
      } else if (left !== undefined) {
        if (left > 1) suspects.set(source, left - 1)
        else suspects.delete(source)
      }
    },
    isSuspect: (source) => suspects.has(source),
  }
}
