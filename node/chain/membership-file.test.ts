import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createMembershipTree, restoreMembershipTree } from '@postrider/protocol/rln'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { silentLogger } from '../core/logger.ts'
import { createMetrics } from '../core/metrics.ts'
import { createManualClock } from '../core/testing/manual-clock.ts'
import { createTempDir } from '../core/testing/temp-dir.ts'
import { createChainSync } from './chain-sync.ts'
import { SNAPSHOT_AFTER_CHANGES } from './constants.ts'
import { createMembership } from './membership.ts'
import { createMembershipFile } from './membership-file.ts'
import { createMemoryLogStore } from './testing/memory-log-store.ts'
import { createModelChain, type ModelAction, type ModelChain } from './testing/model-chain.ts'
import type { ChainLogStore } from './types.ts'

const signal = new AbortController().signal

/** What a restart may hash anyway: the empty nodes, one path to check the file, the blocks of the root window. */
const DEPTH = 20

/** The members as a node follows them, with a quick hash that is counted. */
async function startNode(chain: ModelChain, store: ChainLogStore, path: string | undefined) {
  let hashes = 0
  const hash = (a: bigint, b: bigint) => {
    hashes++
    return (a * 1_000_003n + b * 7_919n + 17n) % (2n ** 61n - 1n)
  }
  const metrics = createMetrics()
  const membership = createMembership({ createTree: () => createMembershipTree({ hash }) })
  const file =
    path === undefined
      ? undefined
      : createMembershipFile(
          { logger: silentLogger, metrics, membership },
          { path, restoreTree: (bytes) => restoreMembershipTree(bytes, { hash }) },
        )
  const sync = createChainSync(
    {
      clock: createManualClock(),
      logger: silentLogger,
      source: chain.source,
      store,
      projections: [membership.projection],
    },
    { fingerprint: 'model', deployBlock: 0, confirmations: 0, maxBlockRange: 5 },
  )
  await file?.start()
  await sync.load()
  const atStart = hashes
  await sync.poll(signal)
  const { view } = membership
  return {
    /** Hashes until the views were there again. */
    atStart,
    hashes: () => hashes,
    poll: () => sync.poll(signal),
    state: () => ({
      root: view.root(),
      accumulator: view.accumulator(),
      size: view.size(),
      members: view.members(),
      changes: view.changes.head(),
      paths: Array.from({ length: view.size() }, (_, commitment) => view.member(BigInt(commitment + 1))),
    }),
    metric: async (code: string) => (await metrics.text()).includes(`code="${code}"`),
    stop: () => file?.stop(),
  }
}

const register = (commitment: number): ModelAction => ({ type: 'register', commitment: BigInt(commitment) })
const registerMany = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => register(from + i))

/** Members in a block below the window of roots. */
function chainOf(count: number): ModelChain {
  const chain = createModelChain()
  chain.mine(registerMany(1, count))
  for (let block = 0; block < 60; block++) chain.mine([register(count + 1 + block)])
  return chain
}

describe('the stored tree', () => {
  it('saves a restart the hashing', async () => {
    await using dir = await createTempDir()
    const path = dir.file('members.tree')
    const [chain, store] = [chainOf(500), createMemoryLogStore()]
    const first = await startNode(chain, store, path)
    await first.stop()
    const second = await startNode(chain, store, path)
    expect(second.state()).toEqual(first.state())
    // The tree goes back to where the root window begins, and forward again block by block.
    expect(second.atStart).toBeLessThan(52 * DEPTH + 200)
    const without = await startNode(chain, store, undefined)
    expect(without.state()).toEqual(first.state())
    expect(without.atStart).toBeGreaterThan(second.atStart + 400)
  })

  it('is followed by what came after it', async () => {
    await using dir = await createTempDir()
    const path = dir.file('members.tree')
    const [chain, store] = [chainOf(300), createMemoryLogStore()]
    await (await startNode(chain, store, path)).stop()
    const later = await startNode(chain, store, undefined)
    chain.mine([register(9_001), { type: 'erase', index: 7 }])
    await later.poll()
    const again = await startNode(chain, store, path)
    expect(again.state()).toEqual(later.state())
  })

  it('gives way when the chain was rewritten meanwhile', async () => {
    await using dir = await createTempDir()
    const path = dir.file('members.tree')
    const [chain, store] = [chainOf(50), createMemoryLogStore()]
    await (await startNode(chain, store, path)).stop()
    chain.reorganise(3, 2, [register(7_000)])
    const fresh = await startNode(chain, createMemoryLogStore(), undefined)
    expect((await startNode(chain, store, path)).state()).toEqual(fresh.state())
    expect((await startNode(chain, createMemoryLogStore(), path)).state()).toEqual(fresh.state())
  })

  it.each([
    ['damaged', (bytes: Uint8Array) => bytes.with(100, (bytes[100] ?? 0) ^ 1)],
    ['cut short', (bytes: Uint8Array) => bytes.subarray(0, bytes.length / 2)],
    ['empty', () => new Uint8Array(0)],
    ['of something else', () => new TextEncoder().encode('hello')],
  ])('is built again when the file is %s', async (_, damage) => {
    await using dir = await createTempDir()
    const path = dir.file('members.tree')
    const [chain, store] = [chainOf(50), createMemoryLogStore()]
    const first = await startNode(chain, store, path)
    await first.stop()
    await writeFile(path, damage(await readFile(path)))
    const second = await startNode(chain, store, path)
    expect(second.state()).toEqual(first.state())
    expect(await second.metric('RLN_TREE_CORRUPT')).toBe(true)
  })

  it('is not missed when its file cannot be read or written', async () => {
    await using dir = await createTempDir()
    const path = dir.file('members.tree')
    await mkdir(path)
    const chain = chainOf(20)
    const node = await startNode(chain, createMemoryLogStore(), path)
    await node.stop()
    expect(node.state().members).toBe(80)
    expect(await node.metric('CORE_FILE_WRITE_FAILED')).toBe(true)
  })

  it('of another list is not taken', async () => {
    await using dir = await createTempDir()
    const path = dir.file('members.tree')
    await (await startNode(chainOf(30), createMemoryLogStore(), path)).stop()
    const chain = createModelChain()
    chain.mine(registerMany(500, 90))
    const fresh = await startNode(chain, createMemoryLogStore(), undefined)
    expect((await startNode(chain, createMemoryLogStore(), path)).state()).toEqual(fresh.state())
  })

  it('is written in between when much has changed, so that a crash costs little', async () => {
    await using dir = await createTempDir()
    const path = dir.file('members.tree')
    const [chain, store] = [createModelChain(), createMemoryLogStore()]
    const first = await startNode(chain, store, path)
    chain.mine(registerMany(1, SNAPSHOT_AFTER_CHANGES))
    await first.poll()
    await expect.poll(() => readFile(path).then((bytes) => bytes.length)).toBeGreaterThan(64_000)
    const second = await startNode(chain, store, path)
    expect(second.state()).toEqual(first.state())
  })
})

describe('restarts with a stored tree', () => {
  const step = fc.oneof(
    fc.record({ type: fc.constant('mine' as const), count: fc.nat(3), erase: fc.nat(9) }),
    fc.record({ type: fc.constant('reorganise' as const), depth: fc.integer({ min: 1, max: 6 }) }),
    fc.record({ type: fc.constant('restart' as const), clean: fc.boolean() }),
  )

  it('end where a fresh node is, whatever happened', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
        await using dir = await createTempDir()
        const path = dir.file('members.tree')
        const [chain, store] = [createModelChain(), createMemoryLogStore()]
        let node = await startNode(chain, store, path)
        let next = 1
        for (const one of steps) {
          if (one.type === 'mine') {
            chain.mine([...registerMany(next, one.count), { type: 'erase', index: one.erase }])
            next += one.count
          } else if (one.type === 'reorganise') {
            chain.reorganise(one.depth, 1, [register(next++)])
          } else {
            if (one.clean) await node.stop()
            node = await startNode(chain, store, path)
          }
          await node.poll()
        }
        await node.stop()
        const fresh = await startNode(chain, createMemoryLogStore(), undefined)
        expect((await startNode(chain, store, path)).state()).toEqual(fresh.state())
      }),
      { numRuns: 40 },
    )
  })
})
