// Which proofs are checked next. Pure: no threads, no clock.
//
// Sources take turns, so that a loud one does not delay a quiet one. What a batch costs depends on whether all of it is
// valid, so it matters who shares one:
//
// - a source is trusted after some valid proofs in a row; trusted ones share batches;
// - newcomers share batches with each other, and while trusted ones wait, few of them are checked, one by one;
// - a source that sent an invalid proof is suspect until it has sent many valid ones: checked one by one, never in a
//   batch, and rarely while others wait.
//
// So a peer that changes its id gains nothing: as a newcomer it cannot spoil the batches of trusted sources.
import {
  HONEST_PER_SUSPECT,
  MAX_BATCH,
  MAX_KNOWN_SOURCES,
  NEWCOMER_BATCH_SHARE,
  PROVEN_AFTER,
  REHABILITATION,
  SINGLES_BATCH,
  SUSPECT_QUEUE_LIMIT,
  TRUSTED_PER_NEWCOMER,
} from './constants.ts'

export type ProofQueueOptions = { limit: number; sourceLimit: number }

export type Taken<T> = { jobs: T[]; apart: boolean }

export interface ProofQueue<T extends { readonly source: string }> {
  /** Whether a job of a new source would be taken. */
  hasRoom(): boolean
  add(job: T): 'added' | 'full' | 'source-full'
  /** Puts jobs that were taken back in front, whatever the limits. */
  putBack(jobs: readonly T[]): void
  /** The next jobs for one worker, those of one source together; none when nothing waits. `apart`: one by one. */
  take(): Taken<T>
  /** Removes and returns everything. */
  drain(): T[]
  size(): number
  /** What a check said about a job's source. Returns jobs of a new suspect that have no place any more. */
  learn(source: string, valid: boolean): T[]
  isSuspect(source: string): boolean
  isTrusted(source: string): boolean
}

/** Valid proofs in a row, and how many of them make the source trusted. */
type Standing = { valid: number; needed: number }

type Lane = 'trusted' | 'newcomer' | 'suspect'

/** The source of proofs that no peer sent: always trusted. */
export const LOCAL_SOURCE = ''

const NEWCOMER: Standing = { valid: 0, needed: PROVEN_AFTER }

export function createProofQueue<T extends { readonly source: string }>(
  options: ProofQueueOptions,
): ProofQueue<T> {
  const { limit, sourceLimit } = options
  const waiting = new Map<string, T[]>()
  const standings = createStandings()
  /** Proofs that may be checked one by one while trusted sources wait. */
  const credit = { newcomer: 0, suspect: 0 }
  let size = 0

  const sourcesIn = (lane: Lane) => [...waiting.keys()].filter((source) => standings.lane(source) === lane)
  const waitingIn = (lane: Lane) =>
    sourcesIn(lane).reduce((sum, source) => sum + (waiting.get(source)?.length ?? 0), 0)

  /** Suspects wait beside the queue, and newcomers fill half of it at most: neither keeps trusted sources out. */
  function refusal({ source }: T): 'full' | 'source-full' | undefined {
    const own = waiting.get(source)?.length ?? 0
    const suspects = waitingIn('suspect')
    if (standings.lane(source) === 'suspect')
      return own >= Math.min(SUSPECT_QUEUE_LIMIT, sourceLimit) || suspects >= sourceLimit
        ? 'source-full'
        : undefined
    if (size - suspects >= limit) return 'full'
    if (own >= sourceLimit) return 'source-full'
    const isCrowded = standings.lane(source) === 'newcomer' && waitingIn('newcomer') >= limit / 2
    return isCrowded ? 'source-full' : undefined
  }

  /** Takes up to `max`, one from each source in turn; who was served goes to the back of the round. */
  function takeInTurns(round: readonly string[], max: number, share = max): T[] {
    const jobs: T[] = []
    let turn = [...round]
    for (let lap = 0; lap < share && jobs.length < max && turn.length > 0; lap++) {
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
    // Together, because the search for bad proofs is cheaper when they are neighbours.
    return jobs.sort((a, b) => (a.source < b.source ? -1 : Number(a.source > b.source)))
  }

  /** Up to `allowed` proofs to be checked one by one. */
  function takeSingles(sources: readonly string[], allowed: number): Taken<T> | undefined {
    const jobs = takeInTurns(sources, Math.min(SINGLES_BATCH, allowed))
    return jobs.length > 0 ? { jobs, apart: true } : undefined
  }

  function takeApart(lane: 'newcomer' | 'suspect', sources: readonly string[]): Taken<T> | undefined {
    const taken = takeSingles(sources, Math.floor(credit[lane]))
    credit[lane] -= taken?.jobs.length ?? 0
    return taken
  }

  /** Unused credit does not pile up: who kept quiet gets no burst. */
  function earn(lane: 'newcomer' | 'suspect', amount: number): void {
    credit[lane] = Math.min(SINGLES_BATCH, credit[lane] + amount)
  }

  return {
    hasRoom: () => size - waitingIn('suspect') < limit,
    add(job) {
      const refused = refusal(job)
      if (refused) return refused
      const queue = waiting.get(job.source) ?? []
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
      const [trusted, newcomers, suspects] = [
        sourcesIn('trusted'),
        sourcesIn('newcomer'),
        sourcesIn('suspect'),
      ]
      const isBusy = trusted.length + newcomers.length > 0
      const apart = isBusy ? takeApart('suspect', suspects) : takeSingles(suspects, SINGLES_BATCH)
      if (apart) return apart
      const single = trusted.length > 0 ? takeApart('newcomer', newcomers) : undefined
      if (single) return single
      const jobs =
        trusted.length > 0
          ? takeInTurns(trusted, MAX_BATCH)
          : takeInTurns(newcomers, MAX_BATCH, NEWCOMER_BATCH_SHARE)
      earn('suspect', jobs.length / HONEST_PER_SUSPECT)
      if (trusted.length > 0) earn('newcomer', jobs.length / TRUSTED_PER_NEWCOMER)
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
      standings.learn(source, valid)
      const queue = waiting.get(source)
      if (valid || !queue) return []
      const others = waitingIn('suspect') - queue.length
      const kept = Math.min(SUSPECT_QUEUE_LIMIT, Math.max(0, sourceLimit - others))
      const dropped = queue.splice(kept)
      if (queue.length === 0) waiting.delete(source)
      size -= dropped.length
      return dropped
    },
    isSuspect: (source) => standings.lane(source) === 'suspect',
    isTrusted: (source) => standings.lane(source) === 'trusted',
  }
}

/** What is known of sources: a bounded number, the one heard of longest ago goes first. */
function createStandings() {
  const standings = new Map<string, Standing>()
  return {
    lane(source: string): Lane {
      if (source === LOCAL_SOURCE) return 'trusted'
      const { valid, needed } = standings.get(source) ?? NEWCOMER
      if (valid >= needed) return 'trusted'
      return needed === REHABILITATION ? 'suspect' : 'newcomer'
    },
    learn(source: string, valid: boolean): void {
      if (source === LOCAL_SOURCE) return
      const { valid: before, needed } = standings.get(source) ?? NEWCOMER
      standings.delete(source)
      standings.set(source, valid ? { valid: before + 1, needed } : { valid: 0, needed: REHABILITATION })
      for (const oldest of standings.keys()) {
        if (standings.size <= MAX_KNOWN_SOURCES) break
        standings.delete(oldest)
      }
    },
  }
}
