import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ChannelEntry, readEvents, units, until } from '../devnet/figures.ts'
import type { Operator } from '../devnet/operators.ts'
import { createPerson, type Person } from '../devnet/people.ts'
import { runJson } from '../node/cli/testing/in-process.ts'
import { runPostrider } from '../node/cli/testing/process.ts'
import { useTestNetwork } from './support/network.ts'

const TOPIC = '/cli-test/1/room/utf8'
const PATIENCE_MS = 30_000
const MESSAGES = 2

const net = useTestNetwork()
let node: Operator
let alice: Person

beforeAll(async () => {
  node = net.operators[0] as Operator
  alice = await createPerson(net, 'alice')
  for (let index = 0; index < MESSAGES; index++) {
    await alice.client.publish({ contentTopic: TOPIC, payload: Uint8Array.of(index) }).receipt
  }
}, 120_000)
afterAll(() => alice?.client.close())

type Check = { name: string; state: string; reason: string; fix: string | null }

/** What an operator types at the machine of the node. */
const type = (...args: string[]) => runJson([...args, '--data-dir', node.directory])
const paidByAlice = () => alice.client.channels.list()[0]?.paid ?? 0n

describe('on a running operator', () => {
  beforeAll(() =>
    until('the node has what the client paid', PATIENCE_MS, async () => {
      const { items } = await node.get<{ items: ChannelEntry[] }>('/v1/channels')
      return items[0] !== undefined && units(items[0].paid) === paidByAlice()
    }),
  )

  it('doctor finds nothing wrong, and says what could be better', async () => {
    const { code, data } = await type('doctor')
    const checks: Check[] = data.checks
    expect(checks.filter(({ state }) => state === 'failed')).toEqual([])
    expect([code, data.healthy]).toEqual([0, true])
    for (const name of ['running node', 'chain', 'funds', 'stake', 'RLN membership', 'account keystore']) {
      expect(checks.find((check) => check.name === name)).toMatchObject({ state: 'ok' })
    }
    // One node alone, with earnings to its hot account and the keys of the repository.
    const warned = checks.filter(({ state }) => state === 'warning').map(({ name }) => name)
    expect(warned.toSorted()).toEqual(['node: relay', 'payout', 'proving keys'])
  })

  it('status has an answer from every part', async () => {
    const { code, data } = await type('status')
    expect(code).toBe(0)
    expect(JSON.stringify(data)).not.toContain('"unknown"')
    expect(data).toMatchObject({
      node: { peerId: node.peerId, stake: { state: 'active' } },
      health: { ready: true },
      peers: 1,
      relay: { verdicts: { accept: MESSAGES, ignore: 0, reject: 0, breach: 0 } },
      store: { messages: MESSAGES },
      rewards: { total: { claimed: { amount: '0' }, pending: { amount: String(paidByAlice()) } } },
      rln: { membership: { state: 'active' }, tree: { members: 2 } },
      slashing: [],
      chain: { connected: true },
    })
  })

  it('channel list and show agree with the client', async () => {
    const [ours] = alice.client.channels.list()
    const { code, data } = await type('channel', 'list')
    expect([code, data.channels.length]).toEqual([0, 1])
    expect(data.channels[0]).toMatchObject({
      id: ours?.channelId,
      state: 'open',
      deposit: { amount: String(ours?.deposit), unit: 'POST' },
      paid: { amount: String(ours?.paid) },
      spent: { amount: String(ours?.spent) },
    })
    const shown = await type('channel', 'show', String(ours?.channelId))
    // The chain goes on between the two.
    const { asOf } = shown.data
    expect([shown.code, shown.data]).toEqual([0, { ...data.channels[0], asOf }])
    expect((await type('channel', 'list', '--state', 'closed')).data).toEqual({ channels: [] })
    const missing = await type('channel', 'show', `0x${'00'.repeat(32)}`)
    expect([missing.code, missing.data.error.code]).toEqual([2, 'API_NOT_FOUND'])
    expect((await type('channel', 'list', '--state', 'half-open')).code).toBe(2)
  })

  it('rewards shows what is pending, and a dry run sends nothing', async () => {
    const { code, data } = await type('rewards')
    expect([code, data.total.pending.amount]).toEqual([0, String(paidByAlice())])
    const dry = await type('rewards', 'claim-all', '--force', '--dry-run')
    expect(dry).toMatchObject({
      code: 0,
      data: { wouldSend: true, amount: { amount: String(paidByAlice()) } },
    })
    expect((await type('rewards', 'queue')).data.redemptions).toEqual([])
    expect((await readEvents(net.devchain.network, net.treasury)).settled).toEqual([])
  })

  it('claims nothing that nobody confirmed', async () => {
    const { code, data } = await type('rewards', 'claim-all', '--force')
    expect([code, data.error.code]).toEqual([3, 'CLI_NOT_CONFIRMED'])
    expect((await readEvents(net.devchain.network, net.treasury)).settled).toEqual([])
  })

  it('withdraw --dry-run lists every source and why nothing of it is free', async () => {
    const { code, data } = await type('withdraw', '--dry-run')
    expect([code, data.wouldSend, data.steps]).toEqual([0, false, []])
    expect(data.sources.map(({ name, free }: { name: string; free: boolean }) => [name, free])).toEqual([
      ['stake', false],
      ['RLN deposit', false],
      ['refunds', false],
    ])
  })

  it('knows when nobody answers at the address it is given', async () => {
    const { code, data } = await type('status', '--api-url', 'http://127.0.0.1:1')
    expect([code, data.error.code]).toEqual([5, 'CLI_NODE_UNREACHABLE'])
  })
})

describe('on a stopped operator', () => {
  beforeAll(() => node.stop())

  it.each(['status', 'channel list', 'rewards', 'slash list'])(
    '%s: no node answers, exit code 5',
    async (command) => {
      const { code, data } = await type(...command.split(' '))
      expect([code, data.error.code]).toEqual([5, 'CLI_NODE_UNREACHABLE'])
    },
  )

  it('doctor does not take it for a fault', async () => {
    const { code, data } = await type('doctor')
    expect(code).toBe(0)
    expect(data.checks.find(({ name }: Check) => name === 'running node')).toMatchObject({ state: 'skipped' })
  })

  it('withdraw --dry-run asks the chain alone, and says when that is away', async () => {
    expect((await type('withdraw', '--dry-run')).code).toBe(0)
    const away = await runJson(['withdraw', '--dry-run', '--data-dir', node.directory], {
      env: { POSTRIDER_RPC_URLS: 'http://127.0.0.1:1' },
    })
    expect([away.code, away.data.error.code]).toEqual([4, 'CHAIN_UNREACHABLE'])
  })

  it('keeps data and talk apart, as a process too', async () => {
    const { code, stdout, stderr } = await runPostrider(['doctor', '--json', '--data-dir', node.directory])
    expect(code).toBe(0)
    expect(JSON.parse(stdout).healthy).toBe(true)
    expect(stderr).toBe('')
    const lost = await runPostrider(['status', '--json', '--data-dir', `${node.directory}/nowhere`])
    expect([lost.code, JSON.parse(lost.stdout).error.code]).toEqual([3, 'CLI_NOT_INITIALIZED'])
  })
})
