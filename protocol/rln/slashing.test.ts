import { describe, expect, it } from 'vitest'
import { explore } from '../testing/explore.ts'
import { MAX_SLASH_ATTEMPTS, SLASH_TURN_BLOCKS } from './constants.ts'
import {
  openSlashCase,
  type SlashCase,
  type SlashEvent,
  slashCaseEnded,
  slashCommitHash,
  slashingReducer,
} from './index.ts'

const NONCE = `0x${'22'.repeat(32)}` as const
const fresh = openSlashCase({ commitment: 1n, secret: 2n, nonce: NONCE })

describe('slashCommitHash', () => {
  it('is what the contract computes', () => {
    // keccak256(abi.encode(address, uint256, bytes32)), computed with viem.
    expect(slashCommitHash(`0x${'11'.repeat(20)}`, 5n, NONCE)).toBe(
      '0x9d8e966231ad58677ed59a2b419da0a8085294dc2bb4fce3ec87b0f8b183fd83',
    )
  })
})

/** A small chain with one member and the contract's rules, and two nodes that found the same breach. */
type Chain = {
  block: number
  time: number
  promises: (number | undefined)[]
  member: 'active' | 'slashed' | 'withdrawn'
  winner: number | undefined
}
type Node = { case: SlashCase; tx: 'commit' | 'reveal' | undefined; told: boolean }
type World = { chain: Chain; nodes: Node[] }
type Move =
  | { what: 'block' }
  | { what: 'head' | 'mine' | 'drop' | 'restart' | 'tell'; node: number }
  | { what: 'reorg'; node: number }
  | { what: 'withdraw' }

const LIFETIME = 5
const MAX_BLOCK = 7

function tell(world: World, at: number, event: SlashEvent): World {
  const node = world.nodes[at]!
  const { state, effects } = slashingReducer(node.case, event)
  let tx = node.tx
  for (const effect of effects)
    if (effect.type !== 'ended') tx = effect.type === 'sendCommit' ? 'commit' : 'reveal'
  return { ...world, nodes: world.nodes.with(at, { ...node, case: state, tx }) }
}

function step(world: World, move: Move): World {
  const { chain } = world
  if (move.what === 'block')
    return { ...world, chain: { ...chain, block: chain.block + 1, time: chain.time + 1 } }
  if (move.what === 'withdraw') return { ...world, chain: { ...chain, member: 'withdrawn' } }
  const node = world.nodes[move.node]!
  const withoutTx: World = { ...world, nodes: world.nodes.with(move.node, { ...node, tx: undefined }) }
  switch (move.what) {
    case 'head':
      return tell(world, move.node, {
        ...{ type: 'head', block: BigInt(chain.block), time: BigInt(chain.time) },
        turn: turnOf(chain, move.node),
      })
    case 'drop':
      return tell(withoutTx, move.node, { type: 'sendFailed' })
    case 'restart':
      return tell(world, move.node, { type: 'restarted' })
    case 'tell': {
      const told = { ...world, nodes: world.nodes.with(move.node, { ...node, told: true }) }
      return chain.member === 'slashed'
        ? tell(told, move.node, { type: 'slashed', byUs: chain.winner === move.node })
        : tell(told, move.node, { type: 'gone' })
    }
    case 'reorg':
      return tell(
        { ...world, chain: { ...chain, promises: chain.promises.with(move.node, undefined) } },
        move.node,
        { type: 'uncommitted' },
      )
    case 'mine':
      return mine(withoutTx, move.node, node.tx!)
  }
}

/** One transaction a block: whoever promised in an earlier one goes first. */
function turnOf({ promises }: Chain, at: number): number | undefined {
  const ours = promises[at]
  return ours === undefined
    ? undefined
    : promises.filter((other) => other !== undefined && other < ours).length
}

/** The next block holds this transaction and nothing else. */
function mine(world: World, at: number, tx: 'commit' | 'reveal'): World {
  const chain = { ...world.chain, block: world.chain.block + 1, time: world.chain.time + 1 }
  const promised = chain.promises[at]
  if (tx === 'commit') {
    const next = { ...world, chain: { ...chain, promises: chain.promises.with(at, chain.block) } }
    return tell(next, at, {
      type: 'committed',
      block: BigInt(chain.block),
      expiresAt: BigInt(chain.time + LIFETIME),
    })
  }
  const allowed = promised !== undefined && promised < chain.block && chain.block - promised <= LIFETIME
  if (!allowed || chain.member !== 'active') return tell({ ...world, chain }, at, { type: 'sendFailed' })
  return {
    ...world,
    chain: { ...chain, member: 'slashed', winner: at, promises: chain.promises.with(at, undefined) },
  }
}

function moves({ chain, nodes }: World): Move[] {
  const open = chain.block < MAX_BLOCK
  return [
    ...(open ? [{ what: 'block' } as const] : []),
    ...(open && chain.member === 'active' ? [{ what: 'withdraw' } as const] : []),
    ...nodes.flatMap((node, at): Move[] => [
      ...(slashCaseEnded(node.case) ? [] : [{ what: 'head', node: at } as const]),
      ...(open && node.tx !== undefined ? [{ what: 'mine', node: at } as const] : []),
      ...(node.tx !== undefined && node.case.failures < 2 ? [{ what: 'drop', node: at } as const] : []),
      ...(node.case.sending && node.tx === undefined ? [{ what: 'restart', node: at } as const] : []),
      ...(chain.promises[at] !== undefined && at === 0 && node.case.failures === 0
        ? [{ what: 'reorg', node: at } as const]
        : []),
      ...(chain.member !== 'active' && !node.told ? [{ what: 'tell', node: at } as const] : []),
    ]),
  ]
}

describe('slashing, two nodes and every order of their transactions', () => {
  const { states, transitions } = explore<World, Move>({
    initial: {
      chain: { block: 0, time: 0, promises: [undefined, undefined], member: 'active', winner: undefined },
      nodes: [
        { case: fresh, tx: undefined, told: false },
        { case: fresh, tx: undefined, told: false },
      ],
    },
    events: moves,
    step,
    check({ chain, nodes }, before) {
      // At most one is rewarded, and only who revealed first.
      const winners = nodes.filter(({ case: { phase } }) => phase === 'revealed').length
      expect(winners).toBeLessThanOrEqual(1)
      for (const [at, { case: state, tx }] of nodes.entries()) {
        if (state.phase === 'revealed') expect(chain.winner).toBe(at)
        if (state.phase === 'lost') expect(chain.winner).toBe(1 - at)
        if (state.phase === 'failed' && state.failures < MAX_SLASH_ATTEMPTS)
          expect(chain.member).toBe('withdrawn')
        // The secret is never sent before the promise is on chain.
        const sentNow = tx === 'reveal' && before?.nodes[at]?.tx !== 'reveal'
        if (sentNow) expect(state.committedAtBlock).toBeLessThanOrEqual(BigInt(chain.block))
        // What ended stays ended and sends nothing.
        const earlier = before?.nodes[at]
        if (earlier && slashCaseEnded(earlier.case)) {
          expect(state).toEqual(earlier.case)
          expect(tx === undefined || tx === earlier.tx).toBe(true)
        }
      }
    },
  })

  it('reaches every end', () => {
    expect(states.length).toBeGreaterThan(5_000)
    expect(transitions).toBeGreaterThan(states.length)
    const phases = new Set(states.flatMap(({ nodes }) => nodes.map(({ case: { phase } }) => phase)))
    expect([...phases].sort()).toEqual(['committed', 'failed', 'found', 'lost', 'revealable', 'revealed'])
  })

  it('leaves nobody waiting once the chain has spoken', () => {
    for (const { chain, nodes } of states) {
      if (chain.member === 'active') continue
      for (const { case: state, told } of nodes) if (told) expect(slashCaseEnded(state)).toBe(true)
    }
  })
})

describe('slashing', () => {
  const run = (state: SlashCase, ...events: SlashEvent[]) =>
    events.reduce((at, event) => slashingReducer(at, event).state, state)
  const head = (block: bigint, turn: number | undefined = 0): SlashEvent => ({
    ...{ type: 'head', block, time: block },
    turn,
  })

  it('commits, waits for the block, reveals', () => {
    const sent = slashingReducer(fresh, head(1n))
    expect(sent.effects).toEqual([{ type: 'sendCommit' }])
    expect(slashingReducer(sent.state, head(2n)).effects).toEqual([])
    const committed = run(sent.state, { type: 'committed', block: 3n, expiresAt: 10n })
    expect(slashingReducer(committed, head(2n)).effects).toEqual([])
    expect(slashingReducer(committed, head(3n)).effects).toEqual([{ type: 'sendReveal' }])
    const done = slashingReducer(run(committed, head(4n)), { type: 'slashed', byUs: true })
    expect(done.effects).toEqual([{ type: 'ended', phase: 'revealed' }])
  })

  it('lets those go first who promised before, and waits until its own promise is confirmed', () => {
    const committed = run(fresh, head(1n), { type: 'committed', block: 2n, expiresAt: 50n })
    const at = (block: bigint, turn?: number) =>
      slashingReducer(committed, { type: 'head', block, time: block, turn }).effects
    expect(at(9n)).toEqual([])
    expect(at(2n, 0)).toEqual([{ type: 'sendReveal' }])
    expect(at(1n + 2n * SLASH_TURN_BLOCKS, 2)).toEqual([])
    expect(at(2n + 2n * SLASH_TURN_BLOCKS, 2)).toEqual([{ type: 'sendReveal' }])
  })

  it('commits again when the promise expired', () => {
    const late = run(fresh, head(1n), { type: 'committed', block: 2n, expiresAt: 5n })
    expect(slashingReducer(late, head(9n)).effects).toEqual([{ type: 'sendCommit' }])
  })

  it('reveals after a restart between the two', () => {
    const saved = run(fresh, head(1n), { type: 'committed', block: 2n, expiresAt: 50n }, head(3n), {
      type: 'restarted',
    })
    expect(slashingReducer(saved, head(9n)).effects).toEqual([{ type: 'sendReveal' }])
  })

  it('gives up after ten failures', () => {
    let state = fresh
    for (let i = 0; i < MAX_SLASH_ATTEMPTS; i++) state = run(state, head(1n), { type: 'sendFailed' })
    expect(state.phase).toBe('failed')
  })

  it('does not commit twice when told twice', () => {
    const once = run(fresh, head(1n), { type: 'committed', block: 2n, expiresAt: 50n }, head(2n))
    expect(run(once, { type: 'committed', block: 2n, expiresAt: 50n })).toEqual(once)
  })
})
