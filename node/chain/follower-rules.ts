import { PostriderError } from '@postrider/protocol/errors'
import { REORG_WINDOW_BLOCKS } from './constants.ts'
import type { BlockHeader, ChainEvent, Checkpoint } from './types.ts'

/** The follower's place in the chain. */
export type Position = {
  /** First block that is not applied. */
  readonly nextBlock: number
  /** Blocks whose hash is remembered, ascending; the last one is the last applied. */
  readonly checkpoints: readonly Checkpoint[]
}

export type Step =
  /** Nothing new has its confirmations. */
  | { readonly type: 'wait' }
  /** Ask for these blocks, both included. */
  | { readonly type: 'fetch'; readonly from: number; readonly to: number }

/** What to do about a chain whose newest block is `head`. */
export function nextStep(
  { nextBlock }: Position,
  head: number,
  options: { confirmations: number; maxBlockRange: number },
): Step {
  const target = head - options.confirmations
  if (target < nextBlock) return { type: 'wait' }
  return { type: 'fetch', from: nextBlock, to: Math.min(target, nextBlock + options.maxBlockRange - 1) }
}

/**
 * The newest remembered block that a chain of this height must have; undefined if there is none. A lower head is
 * no reorganisation by itself: the endpoint may only lag.
 */
export function checkpointToVerify({ checkpoints }: Position, head: number): Checkpoint | undefined {
  return checkpoints.findLast((checkpoint) => checkpoint.number <= head)
}

/** The position after undoing every block above `ancestor`. */
export function rewind({ checkpoints }: Position, ancestor: Checkpoint): Position {
  return {
    nextBlock: ancestor.number + 1,
    checkpoints: checkpoints.filter((checkpoint) => checkpoint.number <= ancestor.number),
  }
}

/** The position after applying a range that ends with `tip`: its event blocks are remembered too. */
export function advance(position: Position, events: readonly ChainEvent[], tip: BlockHeader): Position {
  const byNumber = new Map(position.checkpoints.map((checkpoint) => [checkpoint.number, checkpoint]))
  for (const { blockNumber, blockHash, timestamp } of events) {
    byNumber.set(blockNumber, { number: blockNumber, hash: blockHash, timestamp })
  }
  byNumber.set(tip.number, { number: tip.number, hash: tip.hash, timestamp: tip.timestamp })
  const checkpoints = [...byNumber.values()].sort((a, b) => a.number - b.number)
  return { nextBlock: tip.number + 1, checkpoints: prune(checkpoints, tip.number) }
}

/** Keeps the window, and one block before it so that a reorganisation of exactly that length finds its ancestor. */
function prune(checkpoints: readonly Checkpoint[], tip: number): Checkpoint[] {
  const first = checkpoints.findIndex(({ number }) => number > tip - REORG_WINDOW_BLOCKS)
  return checkpoints.slice(Math.max(0, first - 1))
}

/**
 * Events of a range in order, each once.
 *
 * @throws PostriderError `CHAIN_LOGS_INCONSISTENT` for events outside the range, two different events in one place,
 *   two hashes of one block, or a last block that is not `tip`
 */
export function orderEvents(events: readonly ChainEvent[], from: number, tip: BlockHeader): ChainEvent[] {
  const places = new Map<string, ChainEvent>()
  const hashes = new Map<number, string>([[tip.number, tip.hash]])
  for (const event of events) {
    const { blockNumber, logIndex, blockHash } = event
    if (blockNumber < from || blockNumber > tip.number)
      throw inconsistent(`block ${blockNumber} was not asked for`)
    if ((hashes.get(blockNumber) ?? blockHash) !== blockHash) throw inconsistent(`two blocks ${blockNumber}`)
    hashes.set(blockNumber, blockHash)
    const place = `${blockNumber}/${logIndex}`
    const other = places.get(place)
    if (other && other.txHash !== event.txHash) throw inconsistent(`two events at ${place}`)
    places.set(place, event)
  }
  return [...places.values()].sort((a, b) => a.blockNumber - b.blockNumber || a.logIndex - b.logIndex)
}

/** An answer of an endpoint that cannot be true. */
export function inconsistent(detail: string): PostriderError {
  return new PostriderError('CHAIN_LOGS_INCONSISTENT', { detail })
}
