import { slashCommitHash } from '@postrider/protocol/rln'
import type { Hex } from '@postrider/protocol/wire'
import type { HDAccount } from 'viem'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { createTempDir, type TempDir } from '../core/testing/temp-dir.ts'
import type { SlashCaseStore } from './slasher.ts'
import { type DevChain, startDevChain } from './testing/devchain.ts'
import { callAs, provision } from './testing/harness.ts'
import { createCases, registerMember, startSlasher, waitUntil } from './testing/slashers.ts'
import { startTcpProxy } from './testing/tcp-proxy.ts'

let dev: DevChain
let node: HDAccount
let rival: HDAccount
let clean: Hex

beforeAll(async () => {
  dev = await startDevChain()
  node = dev.account(1)
  rival = dev.account(2)
  await provision(dev, rival)
  clean = await dev.snapshot()
})

afterAll(() => dev?.stop())

beforeEach(async () => {
  await dev.revert(clean)
  clean = await dev.snapshot()
})

const startNode = (dir: TempDir, cases: SlashCaseStore, options: { rpcUrl?: string } = {}) =>
  startSlasher(dev, dir, cases, { account: node, ...options })
const newMember = () => registerMember(dev, rival)

async function balance(of: HDAccount): Promise<bigint> {
  const { balanceOf } = { balanceOf: '0x70a08231' }
  const data = `${balanceOf}${of.address.slice(2).padStart(64, '0')}` as Hex
  const { data: result } = await dev.client.call({ to: dev.network.contracts.token, data })
  return BigInt(result ?? 0)
}

async function tempDir(): Promise<TempDir> {
  const dir = await createTempDir()
  onTestFinished(() => dir.remove())
  return dir
}

describe('slasher', () => {
  it('commits, reveals, and takes the reward', async () => {
    const member = await newMember()
    const cases = createCases()
    const { slasher, chain } = await startNode(await tempDir(), cases.store)
    const before = await balance(node)
    cases.add(member)
    await slasher.report(member)
    await slasher.report(member)
    await waitUntil(() => cases.get(member.commitment)?.state === 'revealed')
    const row = cases.get(member.commitment)
    expect(row).toMatchObject({ reward: expect.any(BigInt), revealTx: expect.any(String), attempts: 0 })
    expect(await balance(node)).toBe(before + (row?.reward ?? 0n))
    expect(cases.history).toEqual(['found', 'committed', 'revealable', 'revealed'])
    expect(slasher.open()).toEqual([])
    expect(chain.membership.member(member.commitment)).toBeUndefined()
    expect(chain.slashings.of(member.commitment)).toMatchObject({ slasher: node.address.toLowerCase() })
  })

  it('finishes after a restart between commit and reveal, with the same promise', async () => {
    const member = await newMember()
    const cases = createCases()
    const dir = await tempDir()
    const first = await startNode(dir, cases.store)
    // The process dies before it can reveal: what is not written down is not done.
    const update = cases.store.update
    const { promise: reached, resolve } = Promise.withResolvers<void>()
    cases.store.update = async (commitment, progress) => {
      if (progress.state !== 'revealable') return update(commitment, progress)
      resolve()
      throw new TypeError('the process is dead')
    }
    cases.add(member)
    await first.slasher.report(member)
    await reached
    await first.stop()
    cases.store.update = update
    const promised = cases.get(member.commitment)
    expect(promised?.state).toBe('committed')

    const second = await startNode(dir, cases.store)
    await waitUntil(() => cases.get(member.commitment)?.state === 'revealed')
    expect(cases.get(member.commitment)?.commitHash).toBe(promised?.commitHash)
    const sent = await second.chain.database.db.transaction.findMany({ select: { kind: true } })
    expect(sent.map(({ kind }) => kind).sort()).toEqual(['commitSlash', 'revealSlash'])
  })

  it('keeps its end when the receipt comes after the event', async () => {
    const member = await newMember()
    const cases = createCases()
    const { slasher, slashChain } = await startNode(await tempDir(), cases.store)
    const { reveal } = slashChain
    const { promise: told, resolve } = Promise.withResolvers<void>()
    slashChain.reveal = async (...args) => {
      const txHash = await reveal(...args)
      await waitUntil(() => cases.get(member.commitment)?.state === 'revealed')
      setImmediate(resolve)
      return txHash
    }
    cases.add(member)
    await slasher.report(member)
    await told
    await slasher.stop()
    expect(cases.get(member.commitment)).toMatchObject({ state: 'revealed', reward: expect.any(BigInt) })
    expect(cases.history).toEqual(['found', 'committed', 'revealable', 'revealed'])
  })

  it('waits out an outage of the chain', async () => {
    const member = await newMember()
    await using proxy = await startTcpProxy(dev.port)
    const cases = createCases()
    const { slasher, chain } = await startNode(await tempDir(), cases.store, { rpcUrl: proxy.url })
    proxy.cut()
    await chain.sync().catch(() => undefined)
    cases.add(member)
    await slasher.report(member)
    expect(slasher.open()).toMatchObject([{ phase: 'found', sending: false, failures: 0 }])
    proxy.restore()
    await chain.sync()
    await waitUntil(() => cases.get(member.commitment)?.state === 'revealed')
  })

  it('stops without revealing when another account was first', async () => {
    const member = await newMember()
    const cases = createCases()
    const { slasher, chain } = await startNode(await tempDir(), cases.store)
    const nonce: Hex = `0x${'07'.repeat(32)}`
    const hash = slashCommitHash(rival.address, member.secret, nonce)
    await callAs(dev, rival, 'rlnMembership', 'commitSlash', [hash])
    await callAs(dev, rival, 'rlnMembership', 'revealSlash', [member.secret, nonce, rival.address])
    cases.add(member)
    await slasher.report(member)
    await waitUntil(() => cases.get(member.commitment)?.state === 'lost')
    expect(cases.get(member.commitment)?.reason).toBe('another account was first')
    expect(await chain.database.db.transaction.count()).toBe(0)
  })

  it('promises again when a reorganisation removed the promise', async () => {
    const member = await newMember()
    const cases = createCases()
    const { slasher, chain, slashChain } = await startNode(await tempDir(), cases.store)
    const fork = await dev.snapshot()
    const { reveal } = slashChain
    slashChain.reveal = async (...args) => {
      slashChain.reveal = reveal
      await dev.revert(fork)
      await dev.mine(4)
      return reveal(...args)
    }
    cases.add(member)
    await slasher.report(member)
    await waitUntil(() => cases.get(member.commitment)?.state === 'revealed')
    expect(cases.get(member.commitment)?.attempts).toBe(1)
    expect(chain.slashings.of(member.commitment)).toBeDefined()
  })

  it('gives up on a member whose deposit is gone', async () => {
    const member = await newMember()
    await callAs(dev, rival, 'rlnMembership', 'leaveGroup', [member.commitment])
    await dev.increaseTime(11)
    await callAs(dev, rival, 'rlnMembership', 'withdraw', [member.commitment])
    const cases = createCases()
    const { slasher, chain } = await startNode(await tempDir(), cases.store)
    cases.add(member)
    await slasher.report(member)
    await waitUntil(() => cases.get(member.commitment)?.state === 'failed')
    expect(cases.get(member.commitment)?.reason).toBe('there is no deposit')
    expect(await chain.database.db.transaction.count()).toBe(0)
  })

  it('tries again when the store refuses for a while', async () => {
    const member = await newMember()
    const cases = createCases()
    const { slasher } = await startNode(await tempDir(), cases.store)
    cases.add(member)
    await slasher.report(member)
    const update = cases.store.update
    let refusals = 2
    cases.store.update = async (commitment, progress) => {
      if (progress.state === 'committed' && refusals-- > 0) throw new TypeError('disk full')
      return update(commitment, progress)
    }
    await waitUntil(() => cases.get(member.commitment)?.state === 'revealed')
  })
})
