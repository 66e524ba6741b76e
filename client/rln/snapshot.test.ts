import { encodeChanges, type MembershipChange } from '@postrider/protocol/rln'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createFakeGroup } from '../testing/fake-group.ts'
import type { ChangePage } from '../transport/membership.ts'
import { EVENT_RANGE_BLOCKS } from './constants.ts'
import { createMembers } from './members.ts'
import { takeFromSource } from './snapshot.ts'

const EMPTY = { accumulator: createMembers().accumulator(), changes: 0 }
const join = (index: number, commitment = BigInt(index + 1)) => ({ index, commitment, limit: 5 })
const erase = (index: number) => ({ index, commitment: 0n, limit: 0 })

/** Whoever gives this list, in pages, and says that it has everything up to a block. */
function sourceOf(changes: readonly MembershipChange[], block: bigint, pageSize = 4) {
  let pages = 0
  return {
    pages: () => pages,
    report: () => undefined,
    async page(from: number): Promise<ChangePage> {
      pages++
      return { block, total: changes.length, changes: encodeChanges(changes.slice(from, from + pageSize)) }
    },
  }
}

/** A group of some blocks; the chain gives its head, and its events if asked. */
function groupOf(blocks: readonly MembershipChange[][]) {
  const group = createFakeGroup()
  for (const changes of blocks) group.mine(...changes)
  const eventsRead: [bigint, bigint][] = []
  const chain = {
    membershipChanges(from: bigint, to: bigint) {
      eventsRead.push([from, to])
      return group.reader.membershipChanges(from, to)
    },
  }
  return { chain, eventsRead, head: () => group.reader.membershipHead(0) }
}

describe('a list from somebody', () => {
  const blocks = [[join(0), join(1)], [erase(0), join(2)], [], [join(3), erase(2), join(4)]]
  const all = blocks.flat()

  it('is taken whole, in pages, without an event of the chain', async () => {
    const { chain, head, eventsRead } = groupOf(blocks)
    const source = sourceOf(all, 4n)
    expect(await takeFromSource({ source, chain }, EMPTY, await head())).toEqual(all)
    expect([source.pages(), eventsRead]).toEqual([2, []])
  })

  it('is cut where the chain stands when the source is ahead', async () => {
    const { chain, head } = groupOf(blocks)
    const source = sourceOf([...all, join(5), join(6)], 9n)
    expect(await takeFromSource({ source, chain }, EMPTY, await head())).toEqual(all)
  })

  it('is completed from the chain when the source is some blocks behind', async () => {
    const { chain, head, eventsRead } = groupOf(blocks)
    const source = sourceOf(blocks.slice(0, 2).flat(), 2n)
    expect(await takeFromSource({ source, chain }, EMPTY, await head())).toEqual(all)
    expect(eventsRead).toEqual([[3n, 4n]])
  })

  it('goes on from what is known', async () => {
    const { chain, head } = groupOf(blocks)
    const known = createMembers()
    known.apply(all.slice(0, 3))
    const from = { accumulator: known.accumulator(), changes: 3 }
    const source = sourceOf(all, 4n)
    expect(await takeFromSource({ source, chain }, from, await head())).toEqual(all.slice(3))
    expect(source.pages()).toBe(1)
  })

  it('is refused when the source is far behind', async () => {
    const { chain } = groupOf(blocks)
    const head = {
      block: EVENT_RANGE_BLOCKS + 2n,
      accumulator: `0x${'11'.repeat(32)}` as const,
      nextIndex: 9,
    }
    await expect(takeFromSource({ source: sourceOf(all, 1n), chain }, EMPTY, head)).rejects.toMatchObject({
      code: 'CLIENT_BAD_RESPONSE',
    })
  })

  it('is refused once it is longer than the true one can be', async () => {
    const { chain, head } = groupOf(blocks)
    const endless = {
      pages: 0,
      report: () => undefined,
      async page(from: number): Promise<ChangePage> {
        this.pages++
        return { block: 4n, total: from + 1_000, changes: encodeChanges([join(from % 5), erase(from % 5)]) }
      },
    }
    await expect(takeFromSource({ source: endless, chain }, EMPTY, await head())).rejects.toMatchObject({
      code: 'CLIENT_MEMBERSHIP_MISMATCH',
    })
    expect(endless.pages).toBeLessThanOrEqual(6)
  })

  it('is refused when it holds what the contract never makes', async () => {
    const { chain, head } = groupOf(blocks)
    const source = {
      report: () => undefined,
      page: async () => ({ block: 4n, total: 1, changes: new Uint8Array(38).fill(255) }),
    }
    await expect(takeFromSource({ source, chain }, EMPTY, await head())).rejects.toMatchObject({
      code: 'CLIENT_BAD_RESPONSE',
    })
  })

  it('is the true one or refused, whatever is done to it', async () => {
    const at = fc.nat(6)
    const change = fc.oneof(
      fc.record({ index: at, commitment: fc.bigInt({ min: 1n, max: 9n }), limit: fc.constantFrom(5, 6) }),
      at.map(erase),
    )
    const lie = fc.oneof(
      at.map((i) => (list: MembershipChange[]) => list.toSpliced(i, 1)),
      fc.tuple(at, change).map(
        ([i, other]) =>
          (list: MembershipChange[]) =>
            list.toSpliced(i, 1, other),
      ),
      fc.tuple(at, change).map(
        ([i, other]) =>
          (list: MembershipChange[]) =>
            list.toSpliced(i, 0, other),
      ),
      at.map((i) => (list: MembershipChange[]) => list.slice(0, i)),
      fc.constant((list: MembershipChange[]) => list.toReversed()),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(lie, { maxLength: 3 }),
        fc.bigInt({ min: 0n, max: 6n }),
        fc.integer({ min: 1, max: 9 }),
        async (lies, block, pageSize) => {
          const { chain, head } = groupOf(blocks)
          const told = lies.reduce((list, change) => change(list), [...all])
          const source = sourceOf(told, block, pageSize)
          const result = await takeFromSource({ source, chain }, EMPTY, await head()).catch((error) => error)
          if (Array.isArray(result)) expect(result).toEqual(all)
          else expect(['CLIENT_MEMBERSHIP_MISMATCH', 'CLIENT_BAD_RESPONSE']).toContain(result.code)
        },
      ),
      { numRuns: 300 },
    )
  })
})
