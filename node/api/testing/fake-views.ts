import { PostriderError } from '@postrider/protocol/errors'
import { readAddress } from '../../core/address.ts'
import { paginate } from '../page.ts'
import type {
  Action,
  ActionPlan,
  Actions,
  Channel,
  Command,
  LedgerEntry,
  NodeEvent,
  Redemption,
  SlashCase,
  Subsystem,
  Views,
} from '../types.ts'

const START_MS = 1_700_000_000_000
const address = (digit: string) => readAddress(`0x${digit.repeat(40)}`) as string
const bytes32 = (index: number) => `0x${index.toString(16).padStart(64, '0')}`
const asOf = { number: 42n, at: START_MS }

export const POST = 10n ** 18n

export function fakeChannel(index: number, changes: Partial<Channel> = {}): Channel {
  return {
    id: bytes32(index),
    state: 'open',
    payer: address('a'),
    payee: address('b'),
    signer: address('c'),
    salt: bytes32(index + 1000),
    deposit: 10n * POST,
    settled: 0n,
    paid: POST + 1n,
    spent: POST,
    unredeemed: POST + 1n,
    available: 9n * POST - 1n,
    ticks: 3,
    redeemable: true,
    held: null,
    withdrawableAt: null,
    lastPaidAt: START_MS,
    asOf,
    ...changes,
  }
}

export function fakeRedemption(id: string, changes: Partial<Redemption> = {}): Redemption {
  return {
    id,
    state: 'sent',
    createdAt: START_MS,
    channels: [{ id: bytes32(1), amount: POST }],
    amount: POST,
    closes: false,
    fee: 21_000n,
    transaction: bytes32(7),
    block: null,
    reason: null,
    ...changes,
  }
}

const slashCase: SlashCase = {
  id: 'case-1',
  state: 'revealed',
  foundAt: START_MS,
  commitment: 5n ** 100n,
  memberIndex: 3,
  pubsubTopic: '/waku/2/rs/77/0',
  epoch: 2_833_333n,
  commitTransaction: bytes32(8),
  revealTransaction: bytes32(9),
  reward: 2n * POST,
  burnt: 8n * POST,
  reason: null,
  evidence: { format: 'postrider.v1.RlnBreach', bytes: Uint8Array.of(1, 2, 3) },
}

const subsystem = (name: string, required: boolean): Subsystem => ({
  name,
  state: 'ok',
  required,
  since: START_MS,
  reason: null,
  code: null,
  fix: null,
})

/** Views over plain data, and handles that a test moves. */
export type FakeViews = {
  views: Views
  emit(event: NodeEvent): void
  listeners(): number
  subsystems: Subsystem[]
  channels: Channel[]
  ledger: LedgerEntry[]
  /** Every command that was begun. */
  begun: Command[]
  /** What was begun, as the node would keep it. */
  actions: Action[]
  /** Makes the next command fail, or wait. */
  onBegin: { run: () => Promise<void> }
  /** Changes what a plan says. */
  onPlan: { changes: Partial<ActionPlan> }
}

export function createFakeViews(): FakeViews {
  const listeners = new Set<(event: NodeEvent) => void>()
  const fake: Omit<FakeViews, 'views'> = {
    emit: (event) => {
      for (const listener of listeners) listener(event)
    },
    listeners: () => listeners.size,
    subsystems: [subsystem('chain', true), subsystem('relay', true), subsystem('store', false)],
    channels: [
      fakeChannel(1),
      fakeChannel(2, { state: 'closing', withdrawableAt: START_MS + 1000 }),
      fakeChannel(3),
    ],
    ledger: [1, 2, 3].map((index) => ({
      id: `entry-${index}`,
      at: START_MS + index,
      kind: 'redeemed',
      amount: POST,
      balance: BigInt(index) * POST,
      channelId: bytes32(index),
      transaction: bytes32(index),
      block: 42n,
    })),
    begun: [],
    actions: [],
    onBegin: { run: async () => undefined },
    onPlan: { changes: {} },
  }
  return { ...fake, views: { ...readViews(fake), ...moneyViews(fake), events: eventsOf(listeners) } }
}

function eventsOf(listeners: Set<(event: NodeEvent) => void>): Views['events'] {
  return {
    subscribe(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}

type MoneyViews = Pick<Views, 'payments' | 'channels' | 'rewards' | 'actions'>

function moneyViews(fake: Omit<FakeViews, 'views'>): MoneyViews {
  const rewards = { earned: 3n * POST, claimed: POST, pending: 2n * POST, redeemable: 2n * POST }
  return {
    payments: {
      summary: () => ({
        mode: 'oversight',
        asOf,
        earned: 3n * POST,
        spent: 2n * POST,
        redeemed: POST,
        burnt: POST / 100n,
        pending: 2n * POST,
        lost: 0n,
        redeemable: 2n * POST,
        unpaid: POST / 100n,
        unpaidLimit: POST / 10n,
        queue: { proposed: { count: 1, amount: POST }, sending: { count: 0, amount: 0n } },
        channels: { open: 2, closing: 1, closed: 0 },
        requests: { paid: 10, free: 5, refused: 1 },
        gas: { balance: POST, price: 1_000_000_000n, low: false },
      }),
      ledger: (page) => paginate(fake.ledger, ({ id }) => id, page),
      redemptions: (page) => paginate([fakeRedemption('r-1', { state: 'proposed' })], ({ id }) => id, page),
      redemption: (id) => (id === 'r-1' ? fakeRedemption('r-1', { state: 'proposed' }) : undefined),
    },
    channels: {
      list: ({ state, ...page }) =>
        paginate(
          fake.channels.filter((channel) => !state || channel.state === state),
          ({ id }) => id,
          page,
        ),
      get: (id) => fake.channels.find((channel) => channel.id === id),
    },
    rewards: {
      summary: () => ({
        asOf,
        mode: 'oversight',
        total: rewards,
        sources: [
          {
            source: 'channels',
            ...rewards,
            fee: 90_000n,
            held: [{ amount: 5n, items: 1, reason: { code: 'PAYMENT_X', text: 'not worth its gas' } }],
          },
        ],
      }),
    },
    actions: actionsOf(fake),
  }
}

export function fakePlan(command: Command, changes: Partial<ActionPlan> = {}): ActionPlan {
  return {
    kind: command.kind,
    wouldSend: true,
    checks: [{ name: 'claims', state: 'ok', reason: '1 channel with 1 POST', fix: null }],
    steps: [{ label: 'settle 1 channel', to: address('3'), call: 'settleMany' }],
    gas: 90_000n,
    fee: 90_000n * 10n ** 9n,
    effects: ['1 POST move'],
    amount: POST,
    channels: [{ id: bytes32(1), amount: POST }],
    reason: null,
    ...changes,
  }
}

export function fakeAction(id: string, command: Command, changes: Partial<Action> = {}): Action {
  return {
    id,
    kind: command.kind,
    state: 'sent',
    createdAt: START_MS,
    effects: ['1 POST move'],
    transactions: [{ label: 'settle 1 channel', hash: bytes32(7), state: 'sent', block: null, fee: null }],
    redemption: null,
    reason: null,
    ...changes,
  }
}

/** Knows channels of `fake`, and one proposed redemption, `r-1`. */
function actionsOf(fake: Omit<FakeViews, 'views'>): Actions {
  const names = (command: Command): boolean => {
    const known = (channelId: string) => fake.channels.some(({ id }) => id === channelId)
    if ('channelId' in command) return command.channelId === null || known(command.channelId)
    if ('channels' in command) return command.channels?.every(known) ?? true
    return 'redemption' in command ? command.redemption === 'r-1' : true
  }
  const byRequest = new Map<string, Action>()
  return {
    plan: async (command) => (names(command) ? fakePlan(command, fake.onPlan.changes) : undefined),
    async begin(request, command) {
      const known = byRequest.get(request)
      if (known) return known
      if (!names(command)) return undefined
      await fake.onBegin.run()
      const { checks = [], wouldSend = true } = fake.onPlan.changes
      if (checks.some(({ state }) => state === 'failed')) {
        throw new PostriderError('API_ACTION_REFUSED', { data: { checks } })
      }
      if (!wouldSend) return fakePlan(command, fake.onPlan.changes)
      fake.begun.push(command)
      const begun = fakeAction(`a-${fake.begun.length}`, command)
      fake.actions.unshift(begun)
      byRequest.set(request, begun)
      return begun
    },
    list: async (page) => paginate(fake.actions, ({ id }) => id, page),
    get: async (id) => fake.actions.find((action) => action.id === id),
    reject: async (id, text) =>
      id === 'r-1'
        ? fakeRedemption('r-1', { state: 'rejected', reason: { code: 'rejected', text } })
        : undefined,
  }
}

function readViews(fake: Omit<FakeViews, 'views'>): Omit<Views, keyof MoneyViews | 'events'> {
  return {
    node: { info: () => nodeInfo },
    peers: {
      list: () =>
        ['peer-b', 'peer-a'].map((peerId) => ({
          peerId,
          addresses: ['/ip4/127.0.0.1/tcp/60000'],
          direction: 'inbound',
          agent: null,
          protocols: ['/vac/waku/relay/2.0.0'],
          connectedAt: START_MS,
          latencyMs: 1.5,
          meshTopics: [],
          score: null,
        })),
    },
    relay: {
      stats: () => ({
        since: START_MS,
        verdicts: { accept: 10, ignore: 2, reject: 1, breach: 1 },
        byCode: [{ kind: 'reject', code: 'RLN_PROOF_INVALID', count: 1 }],
        topics: [{ pubsubTopic: '/waku/2/rs/77/0', peers: 3, meshPeers: 2 }],
        queue: { waiting: 0, limit: 512, dropped: 0 },
      }),
    },
    store: {
      stats: () => ({
        engine: 'sqlite',
        messages: 10,
        bytes: 4096,
        oldest: START_MS,
        newest: null,
        retention: { seconds: 3600, bytes: null },
        ingest: { waiting: 0, limit: 1000, dropped: 0 },
        queries: 4,
      }),
    },
    rln: { state: () => rlnState },
    slashing: {
      list: (page) => paginate([slashCase], ({ id }) => id, page),
      get: (id) => (id === slashCase.id ? slashCase : undefined),
    },
    chain: {
      state() {
        throw new PostriderError('CHAIN_UNREACHABLE', { data: { endpoint: 'http://127.0.0.1/secret-key' } })
      },
    },
    stake: { state: () => stakeState },
    health: { subsystems: () => fake.subsystems },
  }
}

const nodeInfo = {
  version: '0.1.0',
  peerId: '12D3KooW',
  addresses: [],
  startedAt: START_MS,
  services: ['relay' as const, 'store' as const],
  network: {
    name: 'devnet',
    chainId: 31337,
    networkId: 'postrider-devnet',
    clusterId: 77,
    shardCount: 1,
    shards: [0],
    epochSeconds: 10,
    contracts: {
      token: address('1'),
      nodeRegistry: address('2'),
      paymentChannels: address('3'),
      rlnMembership: address('4'),
    },
  },
  operator: {
    account: address('b'),
    signer: address('b'),
    withdrawal: null,
    pendingWithdrawal: null,
    payout: null,
  },
  stake: { state: 'active' as const, staked: 100n * POST, minimum: POST, locks: 0, withdrawableAt: null },
  prices: { publish: 1000n, query: 2000n, push: 10n, freeRequests: 20 },
}

const stakeState = {
  asOf,
  account: address('b'),
  state: 'active' as const,
  staked: 100n * POST,
  minimum: POST,
  spendable: 5n * POST,
  locks: 0,
  withdrawal: address('d'),
  pendingWithdrawal: null,
  unbondingSeconds: 600,
  withdrawableAt: null,
  endpoints: ['/ip4/127.0.0.1/tcp/60000'],
}

const rlnState = {
  asOf,
  membership: {
    state: 'active' as const,
    index: 0,
    commitment: 7n,
    limit: 100,
    deposit: POST,
    releasedAt: null,
  },
  epoch: { number: 170_000_000n, startsAt: START_MS, endsAt: START_MS + 10_000 },
  budget: { limit: 100, used: 4, remaining: 96, firstId: 0 },
  tree: { root: 3n ** 150n, members: 5, rootsKnown: 5, rootsLimit: 50, accumulator: bytes32(0) },
  nullifiers: { entries: 10, limit: 100_000, epochs: 2 },
}
