import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type Amount,
  type ChannelEntry,
  channelsOf,
  readEvents,
  sum,
  units,
  until,
} from '../devnet/figures.ts'
import type { Operator } from '../devnet/operators.ts'
import { createPerson, createSpammer, type Person } from '../devnet/people.ts'
import { useTestNetwork } from './support/network.ts'
import { bindChannel, openChannelTo } from './support/payer.ts'
import { openRawPeer } from './support/raw-peer.ts'

const TOPIC = '/crash-test/1/room/utf8'
const PATIENCE_MS = 30_000

const net = useTestNetwork()
let node: Operator
beforeAll(() => {
  node = net.operators[0] as Operator
})

const restart = async () => {
  await node.kill()
  await node.start()
}

describe('a node killed before it redeemed', () => {
  let alice: Person

  beforeAll(async () => {
    alice = await createPerson(net, 'alice')
  })
  afterAll(() => alice?.client.close())

  const publish = (text: string) =>
    alice.client.publish({ contentTopic: TOPIC, payload: new TextEncoder().encode(text) }).receipt

  const history = async () => {
    const found: string[] = []
    for await (const { payload } of alice.client.query({ contentTopics: [TOPIC], pageSize: 2 })) {
      found.push(new TextDecoder().decode(payload))
    }
    return found
  }

  /** The channel as the node has it on disk, and as the client has it. */
  const atNode = async () =>
    (await channelsOf(node))
      .filter(({ payer }) => payer.toLowerCase() === alice.address.toLowerCase())
      .map(({ id, paid, spent }) => ({ id, paid: units(paid), spent: units(spent) }))
  const atClient = () =>
    alice.client.channels.list().map(({ channelId, paid, spent }) => ({ id: channelId, paid, spent }))

  const untilTheyAgree = () =>
    until('node and client count the same', PATIENCE_MS, async () => {
      const [theirs, ours] = [(await atNode())[0], atClient()[0]]
      return theirs?.paid === ours?.paid && theirs?.spent === ours?.spent
    })

  it('has charged what it served, and goes on with the same channel', async () => {
    for (const text of ['one', 'two', 'three']) await publish(text)
    expect(await history()).toEqual(['one', 'two', 'three'])
    await restart()
    const [[ours], [theirs]] = [atClient(), await atNode()]
    expect([theirs?.id, theirs?.spent]).toEqual([ours?.id, ours?.spent])

    const { paid } = await publish('four')
    await untilTheyAgree()
    expect(atClient()).toEqual([
      { ...ours, paid: (ours?.paid ?? 0n) + paid, spent: (ours?.spent ?? 0n) + paid },
    ])
    expect((await readEvents(net.devchain.network, net.treasury)).opened).toHaveLength(1)
  })

  it('is not paid twice for what its clients had under way', async () => {
    const [before] = atClient()
    const texts = ['five', 'six', 'seven', 'eight']
    const receipts = texts.map(publish)
    await receipts[0]
    await restart()
    // One more, after which both sides know what became of the requests that were cut off.
    const told = [...(await Promise.all(receipts)), await publish('nine')]
    await untilTheyAgree()
    const [after] = atClient()
    const charged = (after?.spent ?? 0n) - (before?.spent ?? 0n)
    const paid = sum(told.map((receipt) => receipt.paid))
    expect(after?.id).toBe(before?.id)
    expect(charged).toBeGreaterThanOrEqual(paid)
    // A message is charged once, however often it was sent. A look into the store whose answer was lost was a look.
    const { query } = (await node.get<{ prices: { query: Amount } }>('/v1/node')).prices
    const looks = told.filter(({ stores }) => stores === 0).length + texts.length - 1
    expect(charged - paid).toBeLessThanOrEqual(units(query) * BigInt(looks))
    // What was relayed and not yet stored may be lost to this node's archive, and then its receipt does not say so.
    const stored = [...texts, 'nine'].filter((_, index) => (told[index]?.stores ?? 0) > 0)
    expect((await history()).slice(4).sort()).toEqual(stored.toSorted())
  })

  it('has every voucher and tick that it acknowledged', async () => {
    const payer = await openChannelTo(net, node, { name: 'payer', deposit: 10_000n })
    await using peer = await openRawPeer(net.devchain.network, node)
    const stream = await bindChannel(peer, payer)
    await stream.send({ type: 'voucher', voucher: payer.voucher(1_000n, { chain: 'c', value: 7n }) })
    for (let index = 1; index <= 9; index++) {
      await stream.send({ type: 'tick', tick: payer.tick('c', index) })
      await stream.account(({ ticks }) => ticks === index)
    }
    await restart()
    const { paid, ticks } = await node.get<ChannelEntry>(`/v1/channels/${payer.channelId}`)
    expect([units(paid), ticks]).toEqual([1_063n, 9])
  })

  it('redeems all of it in full, once, although it is killed again while the claim is on its way', async () => {
    await untilTheyAgree()
    const owed = new Map((await channelsOf(node)).map(({ id, paid }) => [id, units(paid)]))
    expect(owed.size).toBe(2)
    const before = await net.treasury.tokensOf(node.account)

    await net.treasury.holdBlocks()
    const claim = await node.command(['rewards', 'claim-all', '--force', '--no-wait'])
    expect(claim.state).toMatch(/^(accepted|sent)$/)
    await restart()
    await net.treasury.releaseBlocks()

    const redemptions = async () =>
      (await node.get<{ items: { id: string; state: string }[] }>('/v1/payments/redemptions')).items
    await until(
      'the claim is confirmed',
      PATIENCE_MS,
      async () => (await redemptions())[0]?.state === 'confirmed',
    )
    expect(await redemptions()).toMatchObject([{ id: claim.id }])
    const { settled } = await readEvents(net.devchain.network, net.treasury)
    expect(new Map(settled.map(({ args }) => [args.channelId, args.amount]))).toEqual(owed)
    expect(settled).toHaveLength(owed.size)
    const earned = sum(settled.map(({ args }) => args.amount - args.burnt))
    expect(await net.treasury.tokensOf(node.account)).toBe(before + earned)

    const [known] = atClient()
    await publish('ten')
    await untilTheyAgree()
    expect(atClient()[0]?.id).toBe(known?.id)
  })
})

describe('a node killed between a breach and the slash', () => {
  const eventsOf = async (commitment: bigint) => {
    const { slashed, promises } = await readEvents(net.devchain.network, net.treasury)
    return { slashed: slashed.filter(({ args }) => args.commitment === commitment), promises }
  }

  /** Breaks the rate limit while no block is mined, so that no transaction of the node gets any further. */
  async function spam(name: string, topic: string) {
    const spammer = await createSpammer(net, name)
    const [first, second] = await spammer.forge(topic)
    await net.treasury.holdBlocks()
    try {
      const [accepted] = await spammer.send(first, [node])
      const [refused] = await spammer.send(second, [node])
      expect([accepted?.code, refused?.code]).toEqual([200, 429])
    } finally {
      await spammer.close()
    }
    return spammer.commitment
  }

  const cases = async () =>
    (await node.get<{ items: { state: string; commitment: string }[] }>('/v1/slashing')).items

  async function expectSlash(commitment: bigint) {
    await until(
      'the deposit is slashed',
      PATIENCE_MS,
      async () => (await eventsOf(commitment)).slashed.length > 0,
    )
    const { slashed } = await eventsOf(commitment)
    expect(slashed).toHaveLength(1)
    expect(slashed[0]?.args.slasher.toLowerCase()).toBe(node.account.toLowerCase())
    await until('the case is closed', PATIENCE_MS, async () =>
      (await cases()).some((one) => one.commitment === String(commitment) && one.state === 'revealed'),
    )
  }

  it('promises and reveals after it is killed with the evidence on disk and nothing on chain', async () => {
    const commitment = await spam('first-spammer', '/spam/1/a/utf8')
    await until('the evidence is on disk', PATIENCE_MS, async () => (await cases()).length === 1)
    await node.kill()
    expect((await eventsOf(commitment)).promises).toHaveLength(0)
    await net.treasury.releaseBlocks()
    await node.start()
    await expectSlash(commitment)
  })

  it('reveals after it is killed when its promise was mined', async () => {
    const { promises: earlier } = await eventsOf(0n)
    const commitment = await spam('second-spammer', '/spam/1/b/utf8')
    await until('the promise is mined', PATIENCE_MS, async () => {
      await net.treasury.chain.mine({ blocks: 1 })
      return (await eventsOf(commitment)).promises.length > earlier.length
    })
    await node.kill()
    expect((await eventsOf(commitment)).slashed).toHaveLength(0)
    await net.treasury.releaseBlocks()
    await node.start()
    await expectSlash(commitment)
    expect((await eventsOf(commitment)).promises).toHaveLength(earlier.length + 1)
  })
})
