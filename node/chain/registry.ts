import { publicKeyFromRaw } from '@libp2p/crypto/keys'
import { peerIdFromPublicKey } from '@libp2p/peer-id'
import { type Address, type Hex, hexToBytes } from '@postrider/protocol/wire'
import { readArgs } from './event-args.ts'
import type { ChainEvent, Projection } from './types.ts'

/** What a node charges, base units. */
export type NodePrices = { publish: bigint; query: bigint; push: bigint }

/** A staked node as the registry has it. Addresses and keys are lower-case hex. */
export type RegisteredNode = {
  readonly operator: Address
  /** Raw Ed25519 public key, and the libp2p peer id that derives from it. */
  readonly peerKey: Hex
  readonly peerId: string
  readonly signer: Address
  readonly withdrawal: Address
  readonly pendingWithdrawal: Address | undefined
  /** Bits: 1 relay, 2 store, 4 lightpush, 8 filter. */
  readonly services: number
  /** Base units. */
  readonly stake: bigint
  readonly prices: NodePrices
  /** Multiaddrs without the peer id. */
  readonly endpoints: readonly string[]
  /** Unix seconds. */
  readonly registeredAt: number
  /** Unix seconds from which the stake may leave; undefined unless an exit was announced. */
  readonly exitAt: number | undefined
  /** Disputes that hold the stake. */
  readonly locks: number
  /** Base units lost to slashing so far. */
  readonly slashed: bigint
}

export type Registry = {
  node(operator: Address): RegisteredNode | undefined
  nodeByPeerId(peerId: string): RegisteredNode | undefined
  /** In the order of registration. */
  nodes(): RegisteredNode[]
  /** Called after each change; returns the way to stop it. */
  subscribe(listener: () => void): () => void
}

const NO_ADDRESS = `0x${'00'.repeat(20)}`

export function createRegistry(): { view: Registry; projection: Projection } {
  let nodes = new Map<string, RegisteredNode>()
  let byPeerId = new Map<string, RegisteredNode>()
  const listeners = new Set<() => void>()

  const take = (events: readonly ChainEvent[]): boolean => {
    const ours = events.filter(({ contract }) => contract === 'nodeRegistry')
    for (const event of ours) {
      const operator = event.args.operator
      if (operator === undefined) continue // an event about the registry itself
      const key = readArgs(event).hex('operator')
      const next = reduceNode(nodes.get(key), event)
      if (next) nodes.set(key, next)
      else nodes.delete(key)
    }
    byPeerId = new Map([...nodes.values()].map((node) => [node.peerId, node]))
    return ours.length > 0
  }

  const notify = (): void => {
    for (const listener of listeners) listener()
  }

  return {
    view: {
      node: (operator) => nodes.get(operator.toLowerCase()),
      nodeByPeerId: (peerId) => byPeerId.get(peerId),
      nodes: () => [...nodes.values()],
      subscribe(listener) {
        listeners.add(listener)
        return () => void listeners.delete(listener)
      },
    },
    projection: {
      apply(events) {
        if (take(events)) notify()
      },
      reset(events) {
        nodes = new Map()
        take(events)
        notify()
      },
    },
  }
}

/** The node after one more event about it; undefined when it is not registered any more. */
export function reduceNode(node: RegisteredNode | undefined, event: ChainEvent): RegisteredNode | undefined {
  const args = readArgs(event)
  if (event.name === 'NodeRegistered') return registered(event)
  if (event.name === 'StakeWithdrawn' || !node) return undefined
  switch (event.name) {
    case 'StakeAdded':
      return { ...node, stake: args.amount('stake') }
    case 'StakeSlashed':
      return {
        ...node,
        stake: args.amount('stake'),
        slashed: node.slashed + args.amount('burnt') + args.amount('reward'),
      }
    case 'EndpointsUpdated':
      return { ...node, endpoints: args.texts('endpoints') }
    case 'PricesUpdated':
      return { ...node, prices: readPrices(event) }
    case 'ServicesUpdated':
      return { ...node, services: args.count('services') }
    case 'SignerUpdated':
      return { ...node, signer: args.hex('signer') }
    case 'PeerKeyUpdated':
      return { ...node, ...readPeer(event) }
    case 'WithdrawalProposed':
      return { ...node, pendingWithdrawal: orNothing(args.hex('pending')) }
    case 'WithdrawalConfirmed':
      return { ...node, withdrawal: args.hex('withdrawal'), pendingWithdrawal: undefined }
    case 'ExitAnnounced':
      return { ...node, exitAt: args.count('exitAt') }
    case 'ExitCancelled':
      return { ...node, exitAt: undefined }
    case 'StakeLocked':
    case 'StakeUnlocked':
      return { ...node, locks: args.count('locks') }
    default:
      return node
  }
}

function registered(event: ChainEvent): RegisteredNode {
  const args = readArgs(event)
  return {
    operator: args.hex('operator'),
    ...readPeer(event),
    signer: args.hex('signer'),
    withdrawal: args.hex('withdrawal'),
    pendingWithdrawal: undefined,
    services: args.count('services'),
    stake: args.amount('stake'),
    prices: readPrices(event),
    endpoints: args.texts('endpoints'),
    registeredAt: event.timestamp,
    exitAt: undefined,
    locks: 0,
    slashed: 0n,
  }
}

function readPeer(event: ChainEvent): { peerKey: Hex; peerId: string } {
  const peerKey = readArgs(event).hex('peerKey')
  return { peerKey, peerId: peerIdFromPublicKey(publicKeyFromRaw(hexToBytes(peerKey, 32))).toString() }
}

function readPrices(event: ChainEvent): NodePrices {
  const prices = readArgs(event).struct('prices')
  return { publish: prices.amount('publish'), query: prices.amount('query'), push: prices.amount('push') }
}

function orNothing(address: Hex): Address | undefined {
  return address === NO_ADDRESS ? undefined : address
}
