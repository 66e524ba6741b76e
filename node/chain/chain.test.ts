import { readFile } from 'node:fs/promises'
import {
  createTickChain,
  channelId as idOfChannel,
  NO_TICKS,
  type PaymentDomain,
  signVoucher,
} from '@postrider/protocol/payment'
import {
  accumulate,
  decodeChanges,
  EMPTY_ACCUMULATOR,
  identityFromSecret,
  leafOfChange,
  restoreMembershipTree,
  rootOfPath,
} from '@postrider/protocol/rln'
import { bytesToHex, type Hex, hexToBytes } from '@postrider/protocol/wire'
import type { HDAccount } from 'viem'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { createTempDir } from '../core/testing/temp-dir.ts'
import type { ChainOptions } from './index.ts'
import { createRedeemer, type VoucherClaim } from './redeemer.ts'
import { type DevChain, startDevChain } from './testing/devchain.ts'
import { type ChainHarness, callAs, provision, startChain } from './testing/harness.ts'
import { startTcpProxy } from './testing/tcp-proxy.ts'

const POST = 10n ** 18n
const SALT: Hex = `0x${'01'.repeat(32)}`

let dev: DevChain
let node: HDAccount
let other: HDAccount
let clean: Hex

beforeAll(async () => {
  dev = await startDevChain()
  node = dev.account(1)
  other = dev.account(2)
  for (const account of [node, other]) await provision(dev, account, 100_000n * POST)
  clean = await dev.snapshot()
})

afterAll(() => dev?.stop())

beforeEach(async () => {
  await dev.revert(clean)
  clean = await dev.snapshot()
})

async function start(options: Partial<ChainOptions> & { file?: string } = {}): Promise<ChainHarness> {
  const dir = await createTempDir()
  const { file = dir.file('node.db'), ...rest } = options
  const chain = await startChain(dev, file, node, rest)
  let running = true
  const stop = chain.stop
  chain.stop = async () => {
    if (running) await stop()
    running = false
  }
  onTestFinished(async () => {
    await chain.stop()
    await dir.remove()
  })
  return chain
}

const member = (secret: bigint) => identityFromSecret(secret).commitment
const register = (secret: bigint, limit = 10) =>
  callAs(dev, other, 'rlnMembership', 'register', [member(secret), limit, other.address])

describe('membership', () => {
  it('has the tree of the events and the contract’s running hash', async () => {
    for (const secret of [11n, 12n, 13n]) await register(secret)
    await callAs(dev, other, 'rlnMembership', 'leaveGroup', [member(12n)])
    const { membership, sync } = await start()
    await sync()
    expect(membership.size()).toBe(3)
    expect(membership.member(member(13n))).toEqual({ index: 2, limit: 10 })
    expect(membership.member(member(12n))).toBeUndefined()
    const path = membership.path(member(13n))
    const leaf = leafOfChange({ index: 2, commitment: member(13n), limit: 10 })
    expect(rootOfPath(leaf, path)).toBe(membership.root())
    expect(membership.isKnown(membership.root())).toBe(true)
    expect(membership.isKnown(1n)).toBe(false)
    const changes = [11n, 12n, 13n].map((secret, index) => ({ index, commitment: member(secret), limit: 10 }))
    const folded = [...changes, { index: 1, commitment: 0n, limit: 0 }].reduce(accumulate, EMPTY_ACCUMULATOR)
    expect(membership.accumulator()).toBe(folded)
  })

  it('is there after a restart while the chain is away, and catches up when it is back', async () => {
    await using dir = await createTempDir()
    await using proxy = await startTcpProxy(dev.port)
    const file = dir.file('node.db')
    await register(21n)
    const first = await start({ file, rpcUrls: [proxy.url] })
    await first.sync()
    const root = first.membership.root()
    await first.stop()

    proxy.cut()
    await register(22n)
    const second = await start({ file, rpcUrls: [proxy.url] })
    await expect(second.sync()).rejects.toMatchObject({ code: 'CHAIN_UNREACHABLE' })
    expect(second.membership.root()).toBe(root)
    expect(second.membership.isKnown(root)).toBe(true)
    expect(second.follower.status()).toMatchObject({ state: 'away', fresh: false })
    proxy.restore()
    await second.sync()
    expect(second.membership.size()).toBe(2)
    expect(second.follower.status()).toMatchObject({ state: 'following', fresh: true })
  })

  it('takes its tree from the file that the last run left, and follows on', async () => {
    await using dir = await createTempDir()
    const [file, membersFile] = [dir.file('node.db'), dir.file('members.tree')]
    for (const secret of [41n, 42n]) await register(secret)
    const first = await start({ file, membersFile })
    await first.sync()
    const root = first.membership.root()
    await first.stop()
    const bytes = await readFile(membersFile)
    expect(restoreMembershipTree(bytes.subarray(36)).root()).toBe(root)

    await register(43n)
    const second = await start({ file, membersFile })
    await second.sync()
    const fresh = await start()
    await fresh.sync()
    expect(second.membership.root()).toBe(fresh.membership.root())
    expect(second.membership.isKnown(root)).toBe(true)
    const { head, read } = second.membership.changes
    expect(head()).toEqual({ count: 3, block: second.follower.status().block })
    expect(decodeChanges(read(1, 5)).map(({ index }) => index)).toEqual([1, 2])
    expect(read(3, 5)).toHaveLength(0)
  })

  it('undoes what a reorganisation removed', async () => {
    await register(31n)
    const chain = await start()
    const fork = await dev.snapshot()
    for (const secret of [32n, 33n]) await register(secret)
    await chain.sync()
    const forgotten = chain.membership.root()
    expect(chain.membership.size()).toBe(3)
    await dev.revert(fork)
    for (const secret of [34n, 35n, 36n]) await register(secret)
    await chain.sync()
    expect(chain.membership.member(member(32n))).toBeUndefined()
    expect(chain.membership.member(member(34n))).toEqual({ index: 1, limit: 10 })
    expect(chain.membership.isKnown(forgotten)).toBe(false)
    expect(chain.follower.status().reorgs).toBeGreaterThanOrEqual(1)
    const fresh = await start()
    await fresh.sync()
    expect(fresh.membership.root()).toBe(chain.membership.root())
    expect(fresh.membership.accumulator()).toBe(chain.membership.accumulator())
  })
})

describe('endpoints', () => {
  it('fails over when the best endpoint is cut or frozen', async () => {
    await using best = await startTcpProxy(dev.port)
    await using spare = await startTcpProxy(dev.port)
    const chain = await start({ rpcUrls: [best.url, spare.url] })
    await chain.sync()
    best.cut()
    await register(41n)
    await chain.sync()
    expect(chain.membership.size()).toBe(1)
    expect(chain.client.health().map(({ state }) => state)).toEqual(['failing', 'ok'])
  })

  it('says which contract the chain lacks', async () => {
    const nowhere = `0x${'99'.repeat(20)}` as const
    const network = { ...dev.network, contracts: { ...dev.network.contracts, paymentChannels: nowhere } }
    const chain = await start({ network })
    await expect(chain.client.check()).rejects.toMatchObject({
      code: 'CHAIN_CONTRACT_MISSING',
      data: { contract: 'paymentChannels', address: nowhere },
    })
    await expect(chain.sync()).rejects.toMatchObject({ code: 'CHAIN_CONTRACT_MISSING' })
    expect(chain.follower.status()).toMatchObject({ state: 'away', lastError: 'CHAIN_CONTRACT_MISSING' })
    await expect((await start()).client.check()).resolves.toBeUndefined()
  })

  it('may be so young that the confirmed block is older than the contracts', async () => {
    const head = Number(await dev.client.getBlockNumber())
    const chain = await start({ confirmations: head - dev.network.deployBlock })
    await chain.sync()
    expect(chain.follower.status()).toMatchObject({ fresh: true, block: dev.network.deployBlock })
    expect(chain.membership.size()).toBe(0)
  })

  it('notices that events are missing by asking the contract', async () => {
    const chain = await start()
    await chain.sync()
    await register(51n)
    await chain.sync()
    expect(chain.membership.size()).toBe(1)
    // The endpoint forgets the newest event; only the contract's own figures tell.
    await chain.database.db.chainEvent.deleteMany({ where: { name: 'MembershipChanged' } })
    await chain.follower.stop()
    await chain.follower.start()
    await register(52n)
    await expect(chain.sync()).rejects.toMatchObject({ code: 'CHAIN_LOGS_INCONSISTENT' })
    for (let tries = 0; tries < 3; tries++) await chain.sync().catch(() => undefined)
    await chain.sync()
    expect(chain.membership.size()).toBe(2)
  })
})

describe('registry', () => {
  const peerKey: Hex = `0x${'07'.repeat(32)}`
  const registration = () => ({
    peerKey,
    signer: node.address,
    withdrawal: other.address,
    services: 15,
    endpoints: ['/ip4/127.0.0.1/tcp/4001'],
    prices: { publish: 1n, query: 2n, push: 3n },
  })

  it('knows nodes by operator and peer id through their life', async () => {
    const chain = await start()
    await callAs(dev, node, 'nodeRegistry', 'register', [registration(), 2_000n * POST])
    await chain.sync()
    const known = chain.registry.node(node.address)
    expect(known).toMatchObject({
      peerKey,
      stake: 2_000n * POST,
      services: 15,
      endpoints: ['/ip4/127.0.0.1/tcp/4001'],
      prices: { publish: 1n, query: 2n, push: 3n },
      exitAt: undefined,
    })
    expect(chain.registry.nodeByPeerId(known?.peerId ?? '')).toBe(known)
    await callAs(dev, node, 'nodeRegistry', 'updateEndpoints', [['/dns4/a.example/tcp/1']])
    await callAs(dev, node, 'nodeRegistry', 'updatePrices', [{ publish: 9n, query: 8n, push: 7n }])
    await callAs(dev, other, 'nodeRegistry', 'addStake', [node.address, 5n])
    await callAs(dev, other, 'nodeRegistry', 'proposeWithdrawal', [node.address, dev.account(3).address])
    await callAs(dev, node, 'nodeRegistry', 'announceExit', [node.address])
    await chain.sync()
    expect(chain.registry.node(node.address)).toMatchObject({
      endpoints: ['/dns4/a.example/tcp/1'],
      prices: { publish: 9n },
      stake: 2_000n * POST + 5n,
      pendingWithdrawal: dev.account(3).address.toLowerCase(),
      exitAt: expect.any(Number),
    })
    await dev.increaseTime(11)
    await callAs(dev, node, 'nodeRegistry', 'withdrawStake', [node.address])
    await chain.sync()
    expect(chain.registry.nodes()).toEqual([])
    expect(chain.registry.nodeByPeerId(known?.peerId ?? '')).toBeUndefined()
  })
})

describe('channels', () => {
  const PAYER_KEY: Hex = `0x${'5a'.repeat(32)}`

  const domain = (): PaymentDomain => ({
    chainId: dev.network.chainId,
    contract: dev.network.contracts.paymentChannels,
    token: dev.network.contracts.token,
  })

  async function openChannel(salt: Hex = SALT, deposit = 100n) {
    const { privateKeyToAddress } = await import('viem/accounts')
    const signer = privateKeyToAddress(PAYER_KEY)
    await callAs(dev, other, 'paymentChannels', 'open', [node.address, signer, salt, deposit])
    const descriptor = {
      payer: other.address.toLowerCase() as Hex,
      payee: node.address.toLowerCase() as Hex,
      signer: signer.toLowerCase() as Hex,
      salt,
    }
    return { descriptor, id: idOfChannel(descriptor, domain()) }
  }

  function claimOf(
    { descriptor, id }: Awaited<ReturnType<typeof openChannel>>,
    total: bigint,
    ticks = 0,
  ): VoucherClaim {
    const chain = createTickChain(new Uint8Array(32).fill(9))
    const voucher = {
      channelId: id,
      cumulative: total,
      tickAnchor: bytesToHex(chain.anchor),
      tickValue: 2n,
    }
    return {
      ...voucher,
      descriptor,
      signature: signVoucher(domain(), voucher, hexToBytes(PAYER_KEY, 32)),
      tickCount: ticks,
      tickPreimage: bytesToHex(ticks > 0 ? chain.preimage(ticks) : new Uint8Array(32)),
    }
  }

  it('follows a channel and undoes an opening that a reorganisation removed', async () => {
    const chain = await start()
    const changes: Hex[] = []
    chain.escrow.subscribe((id) => changes.push(id))
    const fork = await dev.snapshot()
    const opened = await openChannel()
    await chain.sync()
    expect(await chain.escrow.channel(opened.id)).toEqual({
      descriptor: opened.descriptor,
      status: 'open',
      deposit: 100n,
      settled: 0n,
      closeAt: 0,
    })
    expect(chain.escrow.isFresh()).toBe(true)
    await callAs(dev, other, 'paymentChannels', 'topUp', [opened.id, 50n])
    await callAs(dev, other, 'paymentChannels', 'requestClose', [opened.descriptor])
    await chain.sync()
    expect(chain.channels.channel(opened.id)).toMatchObject({ status: 'closing', deposit: 150n })
    await dev.revert(fork)
    await dev.mine(5)
    await chain.sync()
    expect(chain.channels.channel(opened.id)).toBeUndefined()
    // Opened, changed (once or twice: the background poll may come in between), gone.
    expect(changes.length).toBeGreaterThanOrEqual(3)
    expect(new Set(changes)).toEqual(new Set([opened.id]))
  })

  it('waits for confirmations before money counts, and not before an ending counts', async () => {
    const chain = await start({ confirmations: 2 })
    const opened = await openChannel()
    await chain.sync()
    expect(chain.channels.channel(opened.id)).toBeUndefined()
    await dev.mine(2)
    await chain.sync()
    expect(chain.channels.channel(opened.id)).toMatchObject({ status: 'open', deposit: 100n })
    await callAs(dev, other, 'paymentChannels', 'requestClose', [opened.descriptor])
    await chain.sync()
    expect(chain.channels.channel(opened.id)).toMatchObject({ status: 'closing' })
  })

  it('settles a batch, tells what was skipped and why, and does nothing twice', async () => {
    const chain = await start()
    const redeemer = createRedeemer(chain, { tokenPerNativeMilli: 1_000 })
    const good = await openChannel()
    const poor = await openChannel(`0x${'02'.repeat(32)}`, 5n)
    const claims = [claimOf(good, 40n, 3), claimOf(poor, 6n)]
    const first = await redeemer.settleMany('batch-1', claims)
    expect(first).toMatchObject({ status: 'mined' })
    const results = first.status === 'mined' ? first.results : new Map()
    expect(results.get(good.id)).toEqual({ status: 'settled', settled: 46n, amount: 46n })
    expect(results.get(poor.id)).toEqual({ status: 'skipped', reason: 'PaymentChannels_ExceedsDeposit' })
    expect(await redeemer.settleMany('batch-1', claims)).toEqual(first)
    await chain.sync()
    expect(chain.channels.channel(good.id)).toMatchObject({ settled: 46n })
    const closed = await redeemer.closeMany('close-1', [claimOf(good, 90n)])
    expect(closed).toMatchObject({ status: 'mined' })
    await chain.sync()
    expect(chain.channels.channel(good.id)).toMatchObject({ status: 'closed', settled: 90n })
    const nothing = { ...claimOf(poor, 0n), tickAnchor: NO_TICKS, tickValue: 0n, tickPreimage: NO_TICKS }
    const ended = await redeemer.closeMany('close-2', [
      { ...nothing, signature: new Uint8Array(65).fill(27, 64) },
    ])
    expect(ended.status === 'mined' && ended.results.get(poor.id)).toEqual({
      status: 'settled',
      settled: 0n,
      amount: 0n,
    })
    await chain.sync()
    expect(chain.channels.channel(poor.id)).toMatchObject({ status: 'closed', settled: 0n })
    expect(await redeemer.claimCost(100)).toBeLessThan(await redeemer.claimCost(1))
  })
})
