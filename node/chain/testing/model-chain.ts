import { createHash } from 'node:crypto'
import { PostriderError } from '@postrider/protocol/errors'
import { accumulate, EMPTY_ACCUMULATOR } from '@postrider/protocol/rln'
import type { Hex } from '@postrider/protocol/wire'
import type { BlockHeader, ChainEvent, ChainSource } from '../types.ts'

/** What happens in a block of the model. */
export type ModelAction =
  | { type: 'register'; commitment: bigint }
  /** Erases the member at this index, modulo the number of members; nothing if there is none. */
  | { type: 'erase'; index: number }
  | { type: 'open'; channel: number; deposit: bigint }
  | { type: 'topUp'; channel: number; deposit: bigint }
  | { type: 'settle'; channel: number; settled: bigint }
  | { type: 'requestClose'; channel: number }

/**
 * A chain that is a list of blocks, for property tests of the follower: blocks can be replaced, requests can fail,
 * and the chain can change between two requests.
 */
export type ModelChain = {
  source: ChainSource
  mine(actions: readonly ModelAction[]): void
  /** Replaces the last `depth` blocks by as many and `extra` more, all empty but the first. */
  reorganise(depth: number, extra: number, actions: readonly ModelAction[]): void
  /** Called before each request; may throw, or change the chain. */
  beforeRequest: (() => void) | undefined
  height(): number
  state(block: number): { accumulator: Hex; size: number }
}

type ModelBlock = BlockHeader & { events: ChainEvent[] }

export function createModelChain(): ModelChain {
  let blocks: ModelBlock[] = []
  let forks = 0

  const memberEvents = () =>
    blocks.flatMap(({ events }) => events).filter(({ name }) => name === 'MembershipChanged')

  const addBlock = (actions: readonly ModelAction[]): void => {
    const number = blocks.length
    const parent = blocks.at(-1)
    const parentHash = parent?.hash ?? hash('genesis')
    const block: ModelBlock = {
      number,
      parentHash,
      hash: hash(
        `${parentHash}/${forks}/${JSON.stringify(actions, (_, v) => (typeof v === 'bigint' ? `${v}` : v))}`,
      ),
      timestamp: (parent?.timestamp ?? 1_700_000_000) + 12,
      events: [],
    }
    blocks = [...blocks, block]
    for (const action of actions) {
      const event = toEvent(action, memberEvents())
      if (event) block.events.push(place(block, event))
    }
  }

  addBlock([])

  const chain: ModelChain = {
    beforeRequest: undefined,
    mine: addBlock,
    reorganise(depth, extra, actions) {
      forks++
      const replaced = Math.min(depth, blocks.length - 1)
      blocks = blocks.slice(0, blocks.length - replaced)
      for (let index = 0; index < replaced + extra; index++) addBlock(index === 0 ? actions : [])
    },
    height: () => blocks.length - 1,
    state(block) {
      const changes = memberEvents().filter(({ blockNumber }) => blockNumber <= block)
      const last = changes.at(-1)?.args.accumulator
      const indexes = new Set(changes.map(({ args }) => args.index))
      return { accumulator: (last as Hex | undefined) ?? EMPTY_ACCUMULATOR, size: indexes.size }
    },
    source: {
      async head() {
        chain.beforeRequest?.()
        const last = blocks.at(-1)
        if (!last) throw new PostriderError('CHAIN_UNREACHABLE')
        return last
      },
      async block(number) {
        chain.beforeRequest?.()
        return blocks[number]
      },
      async events(from, to) {
        chain.beforeRequest?.()
        return blocks.slice(from, to + 1).flatMap(({ events }) => events)
      },
    },
  }
  return chain
}

type UnplacedEvent = Pick<ChainEvent, 'contract' | 'name' | 'args'>

function place(block: ModelBlock, event: UnplacedEvent): ChainEvent {
  const logIndex = block.events.length
  return {
    ...event,
    blockNumber: block.number,
    blockHash: block.hash,
    timestamp: block.timestamp,
    logIndex,
    txHash: hash(`${block.hash}/${logIndex}`),
  }
}

function toEvent(action: ModelAction, changes: readonly ChainEvent[]): UnplacedEvent | undefined {
  if (action.type === 'register') return memberEvent(changes, indexesOf(changes), action.commitment, 5)
  if (action.type === 'erase') {
    const indexes = indexesOf(changes)
    return indexes === 0 ? undefined : memberEvent(changes, action.index % indexes, 0n, 0)
  }
  return channelEvent(action)
}

function indexesOf(changes: readonly ChainEvent[]): number {
  return new Set(changes.map(({ args }) => args.index)).size
}

function memberEvent(
  changes: readonly ChainEvent[],
  index: number,
  commitment: bigint,
  limit: number,
): UnplacedEvent {
  const before = (changes.at(-1)?.args.accumulator as Hex | undefined) ?? EMPTY_ACCUMULATOR
  const accumulator = accumulate(before, { index, commitment, limit })
  const args = { index: `${index}`, commitment: `${commitment}`, limit: `${limit}`, accumulator }
  return { contract: 'rlnMembership', name: 'MembershipChanged', args }
}

type ChannelAction = Exclude<ModelAction, { type: 'register' | 'erase' }>

function channelEvent(action: ChannelAction): UnplacedEvent {
  const channelId = hash(`channel ${action.channel}`)
  const payee = `0x${'22'.repeat(20)}`
  const event = (name: string, args: ChainEvent['args']): UnplacedEvent => ({
    contract: 'paymentChannels',
    name,
    args: { channelId, payee, ...args },
  })
  switch (action.type) {
    case 'open': {
      const payer = `0x${'11'.repeat(20)}`
      return event('ChannelOpened', {
        payer,
        signer: payer,
        salt: hash('salt'),
        deposit: `${action.deposit}`,
      })
    }
    case 'topUp':
      return event('ChannelToppedUp', { amount: '1', deposit: `${action.deposit}` })
    case 'settle':
      return event('Settled', { settled: `${action.settled}`, amount: '1', burnt: '0' })
    case 'requestClose':
      return event('CloseRequested', { closeAt: 1_700_000_999 })
  }
}

function hash(text: string): Hex {
  return `0x${createHash('sha256').update(text).digest('hex')}`
}
