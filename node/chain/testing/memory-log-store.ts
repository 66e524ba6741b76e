import type { ChainEvent, ChainLogStore, Checkpoint } from '../types.ts'

/** Keeps the log in memory: the reference for the database's. */
export function createMemoryLogStore(): ChainLogStore {
  let state:
    | { fingerprint: string; nextBlock: number; checkpoints: Checkpoint[]; events: ChainEvent[] }
    | undefined
  return {
    async load(fingerprint) {
      if (state?.fingerprint !== fingerprint) return undefined
      const { nextBlock, checkpoints, events } = state
      return { nextBlock, checkpoints: [...checkpoints], events: [...events] }
    },
    async append({ fingerprint, nextBlock, checkpoints, events }) {
      const before = state?.fingerprint === fingerprint ? state.events : []
      state = { fingerprint, nextBlock, checkpoints: [...checkpoints], events: [...before, ...events] }
    },
    async truncate(fingerprint, nextBlock) {
      const kept = state?.fingerprint === fingerprint ? state : { checkpoints: [], events: [] }
      state = {
        fingerprint,
        nextBlock,
        checkpoints: kept.checkpoints.filter(({ number }) => number < nextBlock),
        events: kept.events.filter(({ blockNumber }) => blockNumber < nextBlock),
      }
    },
  }
}
