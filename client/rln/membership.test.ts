import { createMembershipTree, leafOfChange } from '@postrider/protocol/rln'
import { expect, it } from 'vitest'
import type { ChainReader } from '../chain/types.ts'
import { createMemoryStorage } from '../storage/memory.ts'
import { createManualClock, settle } from '../testing/clock.ts'
import { createFakeGroup } from '../testing/fake-group.ts'
import { MEMBERSHIP_POLL_MS, ROOT_HISTORY } from './constants.ts'
import { createMembers, restoreMembers } from './members.ts'
import { createMembership } from './membership.ts'

const join = (index: number, commitment = BigInt(index + 100), limit = 10) => ({ index, commitment, limit })
const erase = (index: number) => ({ index, commitment: 0n, limit: 0 })

function setUp(storage = createMemoryStorage(), group = createFakeGroup(), confirmations = 0) {
  const clock = createManualClock()
  const errors: string[] = []
  const membership = createMembership(
    { chain: group.reader as ChainReader, storage, clock, onError: ({ code }) => errors.push(code) },
    { deployBlock: 1, confirmations },
  )
  return { membership, group, clock, errors, storage }
}

function rootOf(...changes: ReturnType<typeof join>[]): bigint {
  const tree = createMembershipTree()
  for (const change of changes) tree.set(change.index, leafOfChange(change))
  return tree.root()
}

it('follows joins and erasures, and remembers the roots between', async () => {
  const { membership, group } = setUp()
  group.mine(join(0), join(1))
  await membership.sync()
  const before = membership.members().root()
  group.mine(erase(0))
  await membership.sync()
  const members = membership.members()
  expect(members.root()).toBe(rootOf(join(1)))
  expect(members.find(100n)).toBeUndefined()
  expect(members.find(101n)).toEqual({ index: 1, limit: 10 })
  expect(members.size()).toBe(1)
  expect([
    members.isKnownRoot(before),
    members.isKnownRoot(rootOf(join(0))),
    members.isKnownRoot(1n),
  ]).toEqual([true, true, false])
})

it('builds the list again after a reorganisation', async () => {
  const { membership, group } = setUp()
  group.mine(join(0))
  group.mine(join(1))
  await membership.sync()
  group.reorganise(1)
  group.mine(join(1, 555n))
  group.mine(join(2))
  await membership.sync()
  expect(membership.members().find(101n)).toBeUndefined()
  expect(membership.members().root()).toBe(rootOf(join(0), join(1, 555n), join(2)))
})

it('refuses a list from which an event was left out', async () => {
  const { membership, group } = setUp()
  group.mine(join(0), join(1))
  group.hideChanges(({ index }) => index === 0)
  await expect(membership.sync()).rejects.toMatchObject({ code: 'CLIENT_MEMBERSHIP_MISMATCH' })
  group.hideChanges(() => false)
  await membership.sync()
  expect(membership.members().size()).toBe(2)
})

it('stays behind the newest block by the confirmations asked for', async () => {
  const { membership, group } = setUp(undefined, undefined, 1)
  group.mine(join(0))
  await membership.sync()
  expect(membership.members().size()).toBe(0)
  group.mine()
  await membership.sync()
  expect(membership.members().size()).toBe(1)
})

it('polls, reports errors and goes on', async () => {
  const { membership, group, clock, errors } = setUp()
  await membership.start()
  group.mine(join(0))
  group.hideChanges(() => true)
  await clock.advance(MEMBERSHIP_POLL_MS)
  expect(errors).toEqual(['CLIENT_MEMBERSHIP_MISMATCH'])
  group.hideChanges(() => false)
  await clock.advance(MEMBERSHIP_POLL_MS)
  await settle()
  expect(membership.members().size()).toBe(1)
  await membership.stop()
})

it('goes on from what it saved, without reading the old events again', async () => {
  const storage = createMemoryStorage()
  const first = setUp(storage)
  first.group.mine(join(0), join(1), erase(0))
  await first.membership.start()
  await first.membership.stop()

  const second = setUp(storage, first.group)
  first.group.hideChanges(({ index }) => index < 2)
  first.group.mine(join(2))
  await second.membership.start()
  expect(second.membership.members().root()).toBe(
    first.membership.members().root() && rootOf(join(1), join(2)),
  )
  await second.membership.stop()
})

it('saves and restores members, gaps and roots', () => {
  const members = createMembers()
  members.apply([join(0), join(1), join(2), erase(1)])
  const { members: copy, block } = restoreMembers(members.save(77n))
  expect(block).toBe(77n)
  expect([copy.root(), copy.accumulator(), copy.size()]).toEqual([
    members.root(),
    members.accumulator(),
    members.size(),
  ])
  expect(copy.path(2)).toEqual(members.path(2))
  expect(copy.isKnownRoot(rootOf(join(0)))).toBe(true)
  expect(() => restoreMembers(members.save(1n).subarray(0, 50))).toThrow(
    expect.objectContaining({ code: 'CLIENT_STORAGE_CORRUPT' }),
  )
})

it('reads the chain again when what was saved is damaged', async () => {
  const storage = createMemoryStorage()
  const first = setUp(storage)
  first.group.mine(join(0), join(1))
  await first.membership.start()
  await first.membership.stop()
  const saved = (await storage.get('rln/members')) ?? new Uint8Array(0)
  for (const damaged of [
    saved.with(0, 9),
    saved.subarray(0, 20),
    saved.with(-40, (saved.at(-40) ?? 0) ^ 1),
  ]) {
    await storage.put('rln/members', damaged)
    const again = setUp(storage, first.group)
    await again.membership.start()
    expect(again.errors).toEqual(['CLIENT_STORAGE_CORRUPT'])
    expect(again.membership.members().root()).toBe(rootOf(join(0), join(1)))
    await again.membership.stop()
  }
})

it('builds a long list at once and keeps the newest roots one by one', () => {
  const members = createMembers()
  const changes = Array.from({ length: ROOT_HISTORY + 20 }, (_, index) => join(index))
  members.apply(changes)
  expect(members.root()).toBe(rootOf(...changes))
  expect(members.isKnownRoot(rootOf(...changes.slice(0, -1)))).toBe(true)
  expect(members.isKnownRoot(rootOf(...changes.slice(0, 5)))).toBe(false)
})
