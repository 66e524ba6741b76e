import { writeFile } from 'node:fs/promises'
import { PostriderError } from '@postrider/protocol/errors'
import { recoverSigner } from '@postrider/protocol/payment'
import { describe, expect, it } from 'vitest'
import { createTempDir } from '../../core/testing/temp-dir.ts'
import { createComponents, createPayer, DOMAIN, PAYEE } from '../testing/kit.ts'
import { hex32 } from '../testing/ledger-suite.ts'
import type { BatchResult, Claim } from '../types.ts'
import { encodeClaims, readClaims } from './claims-file.ts'
import { createWatchtower, type WatchedChannel } from './watchtower.ts'

const NOW = 1_700_000_000

function claimOf(name: string, cumulative: bigint, ticks = 0): Claim {
  const payer = createPayer(name)
  const voucher = payer.voucher(cumulative, { chain: 'c', value: 7n })
  const { preimage } = payer.tick('c', ticks)
  const tickPreimage = `0x${Buffer.from(preimage).toString('hex')}` as const
  return { ...voucher, descriptor: payer.descriptor, tickCount: ticks, tickPreimage }
}

function setup(claims: Claim[], graceSeconds = 600, all = false) {
  const { clock, logger, metrics } = createComponents()
  const states = new Map<string, WatchedChannel>()
  const sent: { key: string; claims: readonly Claim[] }[] = []
  const world = { timestamp: NOW, claims, fail: false, revert: false, states, sent }
  const channels = async (ids: readonly string[]) => {
    if (world.fail) throw new PostriderError('CHAIN_UNREACHABLE')
    const none: WatchedChannel = { status: 'open', settled: 0n, closeAt: 0 }
    return { timestamp: world.timestamp, channels: ids.map((id) => states.get(id) ?? none) }
  }
  const settleMany = async (key: string, items: readonly Claim[]): Promise<BatchResult> => {
    sent.push({ key, claims: items })
    if (world.revert) return { status: 'reverted', reason: 'OutOfGas' }
    const results = new Map(
      items.map(({ channelId, cumulative, tickCount, tickValue }) => {
        const settled = cumulative + BigInt(tickCount) * tickValue
        const before = states.get(channelId)
        if (before) states.set(channelId, { ...before, settled })
        return [channelId, { status: 'settled' as const, settled, amount: settled }]
      }),
    )
    return { status: 'mined', txHash: hex32(key), results }
  }
  const tower = createWatchtower(
    { claims: async () => world.claims, channels, redeemer: { settleMany }, clock, logger, metrics },
    { intervalMs: 1_000, graceSeconds, all },
  )
  return { ...world, world, tower, clock }
}

const closing = (closeAt: number, settled = 0n): WatchedChannel => ({ status: 'closing', settled, closeAt })

describe('watchtower', () => {
  it('leaves open channels and settled ones alone', async () => {
    const [alice, bob] = [claimOf('alice', 500n, 3), claimOf('bob', 400n)]
    const { tower, states, sent } = setup([alice, bob], 0)
    states.set(bob.channelId, closing(NOW + 100, 400n))
    expect(await tower.check()).toEqual({ guarded: 2, closing: 1, settled: 0 })
    expect(sent).toEqual([])
  })

  it('settles open channels too for a node that will not come back, the closing ones first', async () => {
    const [alice, bob, carol] = [claimOf('alice', 500n), claimOf('bob', 400n), claimOf('carol', 1n)]
    const { tower, states, sent } = setup([alice, bob, carol], 0, true)
    states.set(bob.channelId, closing(NOW + 100))
    states.set(carol.channelId, { status: 'open', settled: 1n, closeAt: 0 })
    expect(await tower.check()).toEqual({ guarded: 3, closing: 1, settled: 2 })
    expect(sent[0]?.claims).toEqual([bob, alice])
  })

  it('gives the node its grace, in the time of the chain, and then settles once', async () => {
    const alice = claimOf('alice', 500n, 3)
    const { tower, states, sent, world, clock } = setup([alice], 600)
    states.set(alice.channelId, closing(NOW + 86_400))
    await tower.check()
    clock.set(clock.nowMs() + 3_600_000) // this machine's clock is an hour wrong
    await tower.check()
    expect(sent).toEqual([])
    world.timestamp = NOW + 600
    expect(await tower.check()).toMatchObject({ settled: 1 })
    expect(sent[0]?.claims).toEqual([alice])
    await tower.check()
    expect(sent).toHaveLength(1)
  })

  it('waits for half of what is left when that is shorter, and takes the most urgent first', async () => {
    const [alice, bob] = [claimOf('alice', 500n), claimOf('bob', 400n)]
    const { tower, states, sent, world } = setup([alice, bob], 600)
    states.set(alice.channelId, closing(NOW + 100))
    states.set(bob.channelId, closing(NOW + 60))
    await tower.check()
    world.timestamp = NOW + 29
    await tower.check()
    expect(sent).toEqual([])
    world.timestamp = NOW + 50
    await tower.check()
    expect(sent[0]?.claims.map(({ channelId }) => channelId)).toEqual([bob.channelId, alice.channelId])
  })

  it('tries a reverted settlement again as another transaction, and an unknown one as the same', async () => {
    const alice = claimOf('alice', 500n)
    const { tower, states, sent, world } = setup([alice], 0)
    states.set(alice.channelId, closing(NOW + 100))
    world.revert = true
    await tower.check()
    world.revert = false
    await tower.check()
    expect(new Set(sent.map(({ key }) => key)).size).toBe(2)
    const again = setup([alice], 0)
    again.states.set(alice.channelId, closing(NOW + 100))
    await again.tower.check()
    expect(again.sent[0]?.key).toBe(sent[0]?.key)
  })

  it('goes on with what it knows while the file is gone, and looks again after an outage', async () => {
    const alice = claimOf('alice', 500n)
    const { tower, states, sent, world, clock } = setup([alice], 0)
    await tower.start()
    world.claims = new Proxy([], {
      get: () => {
        throw new PostriderError('PAYMENT_CLAIMS_FILE_INVALID')
      },
    })
    world.fail = true
    states.set(alice.channelId, closing(NOW + 100))
    await clock.advance(1_000)
    expect(sent).toEqual([])
    world.fail = false
    world.claims = [alice]
    await clock.advance(1_000)
    expect(sent).toHaveLength(1)
    await tower.stop()
  })
})

describe('claims file', () => {
  const claims = [claimOf('alice', 10n ** 30n, 5), claimOf('bob', 1n)]
  const good = encodeClaims({ payee: PAYEE, savedMs: 5, claims }, DOMAIN)
  const read = async (text: string) => {
    await using dir = await createTempDir()
    const path = dir.file('claims.json')
    await writeFile(path, text)
    return await readClaims(path, DOMAIN, recoverSigner)
  }

  it('gives back what was written', async () => {
    expect(await read(good)).toEqual({ payee: PAYEE, savedMs: 5, claims, refused: 0 })
  })

  it('leaves out what was tampered with', async () => {
    expect(await read(good.replace(String(10n ** 30n), String(10n ** 31n)))).toMatchObject({ refused: 1 })
    expect(await read(good.replace('"tickCount":5', '"tickCount":6'))).toMatchObject({ refused: 1 })
  })

  it.each([
    ['nothing', ''],
    ['half of it', good.slice(0, 200)],
    ['another chain', good.replace('31337', '1')],
    ['an amount that is no integer', good.replace(String(10n ** 30n), '1.5')],
    ['a field too many', good.replace('"savedMs":5', '"savedMs":5,"x":1')],
  ])('refuses %s', async (_, text) => {
    await expect(read(text)).rejects.toMatchObject({ code: 'PAYMENT_CLAIMS_FILE_INVALID' })
  })

  it('says that there is none', async () => {
    await expect(readClaims('/nonexistent/claims.json', DOMAIN, recoverSigner)).rejects.toMatchObject({
      code: 'PAYMENT_CLAIMS_FILE_INVALID',
    })
  })
})
