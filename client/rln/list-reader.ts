import type { PostriderError } from '@postrider/protocol/errors'
import type { MembershipChange } from '@postrider/protocol/rln'
import type { ChainReader, MembershipHead } from '../chain/types.ts'
import { toPostriderError } from '../core/errors.ts'
import { EVENT_RANGE_BLOCKS, MAX_LIST_SOURCES } from './constants.ts'
import { type ListPosition, leadsTo, takeFromSource } from './snapshot.ts'
import type { ChangeSources } from './sources.ts'

export interface ListReader {
  /**
   * The changes that lead from a position to the contract's running hash at `head`; undefined if the position is not
   * on the way there, or the chain's endpoint leaves something out.
   *
   * @param next the first block that is not in the position's list
   * @throws PostriderError `CLIENT_CHAIN_UNAVAILABLE`, the signal's reason
   */
  read(
    from: ListPosition,
    next: bigint,
    head: MembershipHead,
    signal: AbortSignal,
  ): Promise<MembershipChange[] | undefined>
}

/**
 * Reads changes from nodes if it is the whole list or there is much to read, and the contract's events otherwise or
 * if no node has the list.
 */
export function createListReader(components: {
  chain: Pick<ChainReader, 'membershipChanges'>
  sources: ChangeSources
}): ListReader {
  const { chain, sources } = components

  const askNodes = async (from: ListPosition, head: MembershipHead, signal: AbortSignal) => {
    for (const source of sources(MAX_LIST_SOURCES)) {
      try {
        const changes = await takeFromSource({ source, chain }, from, head, signal)
        source.report()
        return changes
      } catch (error) {
        const coded = toPostriderError(error, 'CLIENT_BAD_RESPONSE')
        if (signal.aborted || coded.code === 'CLIENT_CHAIN_UNAVAILABLE') throw coded
        if (isBlamed(from, coded)) source.report(coded)
      }
    }
    return undefined
  }

  return {
    async read(from, next, head, signal) {
      if (from.accumulator === head.accumulator) return []
      const isFar = from.changes === 0 || head.block - next >= EVENT_RANGE_BLOCKS
      const given = isFar ? await askNodes(from, head, signal) : undefined
      if (given) return given
      const events = next <= head.block ? await chain.membershipChanges(next, head.block) : []
      return leadsTo(head, from.accumulator, events) ? events : undefined
    },
  }
}

/** A list of ours that a reorganisation made wrong fits no honest node's either: then nobody is to blame. */
function isBlamed(from: ListPosition, error: PostriderError): boolean {
  return from.changes === 0 || error.code !== 'CLIENT_MEMBERSHIP_MISMATCH'
}
