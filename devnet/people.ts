// Who uses the network in the story: paying clients, a stock Waku client, and a spammer with a modified client.
import { join } from 'node:path'
import { loadArtifacts } from '@postrider/circuits'
import { createProver } from '@postrider/circuits/engine'
import {
  type Client,
  createClient,
  createSqliteStorage,
  createWallet,
  nodeTransports,
} from '@postrider/client'
import { rlnMembershipAbi } from '@postrider/contracts'
import {
  attachProof,
  createMembershipTree,
  epochAt,
  externalNullifier,
  type Identity,
  identityFromSecret,
  type RlnProof,
  rateCommitment,
  share,
  signalX,
} from '@postrider/protocol/rln'
import {
  createWakuMessage,
  msToTimestamp,
  pubsubTopicForContent,
  timestampToMs,
  type WakuMessage,
} from '@postrider/protocol/wire'
import { createLightNode, type LightNode, Protocols } from '@waku/sdk'
import type { Address } from 'viem'
import { generatePrivateKey, privateKeyToAddress } from 'viem/accounts'
import { systemClock } from '../client/core/clock.ts'
import { createLibp2pTransport } from '../client/transport/libp2p.ts'
import { push } from '../client/transport/lightpush.ts'
import type { Devchain } from './chain.ts'
import type { Operator } from './operators.ts'
import { POST, type Treasury } from './treasury.ts'

/** Enough for memberships and channels to every node. */
const CLIENT_TOKENS = 100n * POST
/** Messages an epoch that a client registers for. */
const CLIENT_LIMIT = 32
/** What a client puts into one channel. */
const CHANNEL_DEPOSIT = POST / 10n
const STOCK_CLIENT_TIMEOUT_MS = 20_000

type Setting = { devchain: Devchain; treasury: Treasury; directory: string }

export type Person = { name: string; client: Client; address: Address; commitment: bigint }

/** A client with tokens and a membership of its own, connected to every node. */
export async function createPerson(setting: Setting, name: string, limit = CLIENT_LIMIT): Promise<Person> {
  const { devchain, treasury, directory } = setting
  const privateKey = generatePrivateKey()
  const address = privateKeyToAddress(privateKey)
  await treasury.grant(address, CLIENT_TOKENS)
  const client = createClient({
    network: devchain.network,
    storage: createSqliteStorage(join(directory, `${name}.db`)),
    wallet: createWallet({ privateKey }),
    budget: { deposit: CHANNEL_DEPOSIT, maxDeposit: CHANNEL_DEPOSIT * 10n, daily: CLIENT_TOKENS },
  })
  await client.start()
  const { commitment } = await client.membership.register({ limit })
  if (commitment === undefined) throw new TypeError(`${name} has no membership`)
  return { name, client, address, commitment }
}

/** The light client of another project, as it comes from npm: no stake, no tokens, no proofs. */
export async function createStockClient({ network }: Devchain, node: Operator): Promise<LightNode> {
  const client = await createLightNode({
    networkConfig: { clusterId: network.clusterId, numShardsInCluster: network.shardCount },
    bootstrapPeers: [node.webSocket],
    discovery: { dns: false, peerExchange: false, peerCache: false },
    libp2p: { filterMultiaddrs: false, hideWebSocketInfo: true },
  })
  await client.waitForPeers([Protocols.LightPush, Protocols.Filter, Protocols.Store], STOCK_CLIENT_TIMEOUT_MS)
  return client
}

/** A member with a modified client: it proves what it is told to, with any message id. */
export type RogueMember = {
  identity: Identity
  /** A proof for the message in the epoch of its timestamp, unless another one is given. */
  prove(message: WakuMessage, messageId: number, epoch?: bigint): Promise<RlnProof>
  close(): Promise<void>
}

export async function createRogueMember(setting: Setting, name: string, limit: number): Promise<RogueMember> {
  const { client } = await createPerson(setting, name, limit)
  const identity = identityFromSecret(BigInt(client.membership.exportIdentity()))
  const { network } = setting.devchain
  const prover = createProver(await loadArtifacts())
  const epochOf = ({ timestamp = 0n }: WakuMessage) => epochAt(timestampToMs(timestamp), network.epochSeconds)
  return {
    identity,
    async prove(message, messageId, epoch = epochOf(message)) {
      const pubsubTopic = pubsubTopicForContent(message.contentTopic, network)
      const nullifier = externalNullifier({ epoch, networkId: network.networkId, pubsubTopic })
      const x = signalX(pubsubTopic, message)
      const { root, siblings, indices } = await readPath(setting, identity.commitment)
      const { proof } = await prover.prove({
        identitySecret: identity.secret,
        userMessageLimit: limit,
        messageId,
        pathElements: siblings,
        identityPathIndex: indices,
        x,
        externalNullifier: nullifier,
      })
      return { proof, root, epoch, x, ...share(identity.secret, nullifier, messageId, x) }
    },
    async close() {
      await prover.close()
      await client.close()
    },
  }
}

export type PushAnswer = { node: string; code: number; reason: string }

export type Spammer = {
  commitment: bigint
  /** Two different messages of one epoch, proven with the same message id. */
  forge(contentTopic: string): Promise<[WakuMessage, WakuMessage]>
  /** Hands a message to each node in turn. */
  send(message: WakuMessage, nodes: readonly Operator[]): Promise<PushAnswer[]>
  close(): Promise<void>
}

/** A member whose client forgets which message ids it used: the one thing that RLN forbids. */
export async function createSpammer(setting: Setting, name = 'spammer'): Promise<Spammer> {
  const member = await createRogueMember(setting, name, 1)
  const { network } = setting.devchain
  const transport = createLibp2pTransport({ clock: systemClock, transports: nodeTransports })
  await transport.start()
  const withProof = async (message: WakuMessage) => attachProof(message, await member.prove(message, 0))

  return {
    commitment: member.identity.commitment,
    async forge(contentTopic) {
      const timestamp = msToTimestamp(Date.now())
      const spam = (text: string) =>
        createWakuMessage({ contentTopic, payload: new TextEncoder().encode(text), timestamp })
      return [await withProof(spam('BUY NOW')), await withProof(spam('BUY MORE'))]
    },
    async send(message, nodes) {
      const pubsubTopic = pubsubTopicForContent(message.contentTopic, network)
      const answers: PushAnswer[] = []
      for (const { name: node, peerId, webSocket } of nodes) {
        await transport.connect({ peerId, addresses: [webSocket.replace(`/p2p/${peerId}`, '')] })
        const request = { requestId: crypto.randomUUID(), pubsubTopic, message }
        answers.push({ node, ...(await push(transport, peerId, request)) })
      }
      return answers
    },
    async close() {
      await transport.stop()
      await member.close()
    },
  }
}

/** Where a member is in the tree, from the contract's events. */
async function readPath({ devchain, treasury }: Setting, commitment: bigint) {
  const { contracts, deployBlock } = devchain.network
  const changes = await treasury.chain.getContractEvents({
    address: contracts.rlnMembership,
    abi: rlnMembershipAbi,
    eventName: 'MembershipChanged',
    fromBlock: BigInt(deployBlock),
    strict: true,
  })
  const tree = createMembershipTree()
  let own: number | undefined
  for (const { args } of changes) {
    const index = Number(args.index)
    tree.set(index, args.commitment === 0n ? 0n : rateCommitment(args.commitment, Number(args.limit)))
    if (args.commitment === commitment) own = index
  }
  if (own === undefined) throw new TypeError('not a member')
  return { root: tree.root(), ...tree.path(own) }
}
