import { isPostriderError, PostriderError } from '@postrider/protocol/errors'
import { CHANGE_BYTES, decodeChanges, foldChanges, type MembershipChange } from '@postrider/protocol/rln'
import type { Hex } from '@postrider/protocol/wire'
import type { ChainReader, MembershipHead } from '../chain/types.ts'
import { EVENT_RANGE_BLOCKS } from './constants.ts'
import { foldAccumulator } from './members.ts'
import type { ChangeSource } from './sources.ts'

/** Where a list stands: its running hash, and how many changes are in it. */
export type ListPosition = { accumulator: Hex; changes: number }

/**
 * The changes from a position to the contract's running hash at `head`, taken from somebody who need not be trusted:
 * there is only one list that leads there. If the source is some blocks behind, the last changes are read from the chain.
 *
 * @throws PostriderError `CLIENT_MEMBERSHIP_MISMATCH` if what it gave does not lead there; `CLIENT_BAD_RESPONSE`,
 *   `CLIENT_STREAM_FAILED`, `CLIENT_TIMEOUT`, `CLIENT_CHAIN_UNAVAILABLE`
 */
export async function takeFromSource(
  { source, chain }: { source: ChangeSource; chain: Pick<ChainReader, 'membershipChanges'> },
  from: ListPosition,
  head: MembershipHead,
  signal?: AbortSignal,
): Promise<MembershipChange[]> {
  // An index is given out once and erased at most once, so the true list is not longer.
  const most = 2 * head.nextIndex
  const found: MembershipChange[] = []
  let { accumulator } = from
  for (;;) {
    const page = await source.page(from.changes + found.length, signal)
    const folded = foldChanges(accumulator, page.changes, head.accumulator)
    accumulator = folded.accumulator
    // Beyond the head there may be changes of newer blocks.
    const used = page.changes.subarray(0, folded.count * CHANGE_BYTES)
    if (from.changes + found.length + folded.count > most) throw mismatch('it is longer than any true list')
    for (const change of readChanges(used)) found.push(change)
    if (accumulator === head.accumulator) return found
    if (folded.count === 0 || from.changes + found.length >= page.total) {
      return [...found, ...(await readRest(chain, { accumulator, block: page.block }, head))]
    }
  }
}

/** What happened after the block up to which a source has everything, as it says. */
async function readRest(
  chain: Pick<ChainReader, 'membershipChanges'>,
  { accumulator, block }: { accumulator: Hex; block: bigint },
  head: MembershipHead,
): Promise<MembershipChange[]> {
  if (block >= head.block) throw mismatch('it ends elsewhere than the contract')
  if (head.block - block > EVENT_RANGE_BLOCKS) {
    const detail = `the node is ${head.block - block} blocks behind the chain`
    throw new PostriderError('CLIENT_BAD_RESPONSE', { detail })
  }
  const rest = await chain.membershipChanges(block + 1n, head.block)
  if (leadsTo(head, accumulator, rest)) return rest
  throw mismatch('it misses changes that the chain has')
}

/** Whether changes lead from a running hash to the contract's. */
export function leadsTo(
  head: MembershipHead,
  accumulator: Hex,
  changes: readonly MembershipChange[],
): boolean {
  try {
    return foldAccumulator(accumulator, changes) === head.accumulator
  } catch (error) {
    // Changes that the contract never makes.
    if (isPostriderError(error)) return false
    throw error
  }
}

function readChanges(bytes: Uint8Array): MembershipChange[] {
  try {
    return decodeChanges(bytes)
  } catch (cause) {
    throw new PostriderError('CLIENT_BAD_RESPONSE', {
      detail: 'changes that the contract never makes',
      cause,
    })
  }
}

function mismatch(detail: string): PostriderError {
  return new PostriderError('CLIENT_MEMBERSHIP_MISMATCH', { detail: `the list of the node: ${detail}` })
}
