// Several nodes find the same breach at once, on a real chain: one takes the deposit, and the others have paid for the
// promise that they chose to make and for nothing else.

import type { HDAccount } from 'viem'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { createTempDir } from '../core/testing/temp-dir.ts'
import { type DevChain, startDevChain } from './testing/devchain.ts'
import { provision } from './testing/harness.ts'
import {
  createCases,
  registerMember,
  type SlasherNode,
  startSlasher,
  type TestCases,
  waitUntil,
} from './testing/slashers.ts'
import { startTcpProxy } from './testing/tcp-proxy.ts'

const DAY_SECONDS = 86_400
/** Time for a commit's lifetime to pass. */
const OUTAGE_SECONDS = DAY_SECONDS + 3_600

let dev: DevChain
let payer: HDAccount
let finders: HDAccount[]
let clean: `0x${string}`

beforeAll(async () => {
  dev = await startDevChain()
  payer = dev.account(4)
  finders = [1, 2, 3].map((index) => dev.account(index))
  await provision(dev, payer)
  clean = await dev.snapshot()
})
afterAll(() => dev?.stop())
beforeEach(async () => {
  await dev.revert(clean)
  clean = await dev.snapshot()
})

const tempDir = async () => {
  const dir = await createTempDir()
  onTestFinished(() => dir.remove())
  return dir
}

const has = (commitment: bigint, state: string) => (cases: TestCases) =>
  cases.get(commitment)?.state === state

/** What an account sent and what it paid for gas, wei. */
async function spendingOf(account: HDAccount, before: bigint) {
  const [sent, balance] = await Promise.all([
    dev.client.getTransactionCount(account),
    dev.client.getBalance(account),
  ])
  return { sent, paid: before - balance }
}

/** Gas of the transactions of one kind that a node sent, wei. */
async function feesOf(kind: string, node: SlasherNode): Promise<bigint> {
  const rows = await node.chain.database.db.transaction.findMany({ where: { kind } })
  const receipts = await Promise.all(
    rows.map(({ txHash }) => dev.client.getTransactionReceipt({ hash: txHash as `0x${string}` })),
  )
  return receipts.reduce((sum, { gasUsed, effectiveGasPrice }) => sum + gasUsed * effectiveGasPrice, 0n)
}

/** A block as soon as every node has seen the last one and what it sends because of that is in the pool. */
async function mineInStep(nodes: readonly SlasherNode[]): Promise<void> {
  const newest = Number(await dev.client.getBlockNumber())
  for (const { chain, slasher } of nodes) {
    if (chain.follower.status().head !== newest) return
    if (slasher.open().some(({ sending }) => sending) && !(await hasPending(chain.sender.address))) return
  }
  await dev.mine()
}

async function hasPending(address: `0x${string}`): Promise<boolean> {
  const [pending, mined] = await Promise.all([
    dev.client.getTransactionCount({ address, blockTag: 'pending' }),
    dev.client.getTransactionCount({ address }),
  ])
  return pending > mined
}

describe('three slashers with one breach', () => {
  it.each([
    ['block after block', true],
    ['in the same blocks', false],
  ])('%s: one wins, the others pay for their promise alone', async (_, automine) => {
    const member = await registerMember(dev, payer)
    const dir = await tempDir()
    const cases = finders.map(() => createCases())
    const nodes = await Promise.all(
      finders.map((account, i) => startSlasher(dev, dir, (cases[i] as TestCases).store, { account })),
    )
    const before = await Promise.all(finders.map((account) => dev.client.getBalance(account)))
    const counts = await Promise.all(finders.map((account) => dev.client.getTransactionCount(account)))
    await dev.setAutomine(automine)
    onTestFinished(() => dev.setAutomine(true))
    for (const [i, { slasher }] of nodes.entries()) {
      cases[i]?.add(member)
      void slasher.report(member)
    }
    await waitUntil(async () => {
      if (!automine) await mineInStep(nodes)
      return cases.every(({ get }) => ['revealed', 'lost'].includes(get(member.commitment)?.state ?? ''))
    })
    expect(cases.filter(has(member.commitment, 'revealed'))).toHaveLength(1)
    for (const [i, account] of finders.entries()) {
      const node = nodes[i] as (typeof nodes)[number]
      const { sent, paid } = await spendingOf(account, before[i] ?? 0n)
      const won = has(member.commitment, 'revealed')(cases[i] as TestCases)
      const [promises, reveals] = [await feesOf('commitSlash', node), await feesOf('revealSlash', node)]
      expect(sent - (counts[i] ?? 0)).toBeLessThanOrEqual(won ? 2 : 1)
      expect(paid).toBe(promises + (won ? reveals : 0n))
    }
  })
})

describe('an outage between promise and reveal', () => {
  it('that outlives the promise: another promise is made, and revealed once', async () => {
    const member = await registerMember(dev, payer)
    await using proxy = await startTcpProxy(dev.port)
    const dir = await tempDir()
    const cases = createCases()
    const account = finders[0] as HDAccount
    const first = await startSlasher(dev, dir, cases.store, { account, rpcUrl: proxy.url })
    // The chain goes away as soon as the promise is there.
    const { update } = cases.store
    cases.store.update = async (commitment, progress) => {
      if (progress.state === 'committed') proxy.cut()
      return update(commitment, progress)
    }
    cases.add(member)
    await first.slasher.report(member)
    await waitUntil(() => has(member.commitment, 'committed')(cases))
    cases.store.update = update
    await first.stop()

    await dev.increaseTime(OUTAGE_SECONDS)
    const second = await startSlasher(dev, dir, cases.store, { account, rpcUrl: proxy.url })
    expect(second.slasher.open()).toMatchObject([{ phase: 'found', failures: 0 }])
    proxy.restore()
    await second.chain.sync()
    await waitUntil(() => has(member.commitment, 'revealed')(cases))
    const sent = await second.chain.database.db.transaction.groupBy({ by: ['kind'], _count: true })
    expect(sent.map(({ kind, _count }) => [kind, _count]).sort()).toEqual([
      ['commitSlash', 2],
      ['revealSlash', 1],
    ])
  })
})
