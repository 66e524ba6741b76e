import { parseNetwork } from '@postrider/protocol/network'
import { identityFromSecret, rateCommitment, rootOfPath, share } from '@postrider/protocol/rln'
import type { ProofEngine } from '../rln/types.ts'
import { createChannelKeys, createWallet, type Wallet } from '../wallet/keys.ts'
import { createFakeChain } from './fake-chain.ts'
import { type FakeNode, type FakeNodeOptions, startFakeNode } from './fake-node.ts'

const address = (digit: number) => `0x${String(digit).repeat(40)}`

export const TEST_NETWORK = parseNetwork({
  name: 'test',
  chainId: 31337,
  rpcUrls: ['http://127.0.0.1:1'],
  contracts: {
    token: address(1),
    nodeRegistry: address(2),
    paymentChannels: address(3),
    rlnMembership: address(4),
  },
  deployBlock: 1,
  networkId: 'test',
  clusterId: 66,
  shardCount: 2,
  epochSeconds: 600,
  bootstrap: [],
})

/** A wallet per number; worth nothing anywhere. */
export function testWallet(number: number): Wallet {
  return createWallet({ privateKey: (1000 + number).toString(16).padStart(64, '0') })
}

export const testKeys = (number: number) => createChannelKeys(testWallet(number))

/** Nodes over real sockets on one chain in memory; what one of them takes, all of them have. */
export async function startFakeNetwork(count: number, options: Partial<FakeNodeOptions> = {}) {
  const chain = createFakeChain(TEST_NETWORK)
  const nodes: FakeNode[] = []
  const relay: FakeNodeOptions['relay'] = (topic, message) => {
    for (const node of nodes) node.accept(topic, message)
  }
  for (let number = 0; number < count; number++) {
    nodes.push(await startFakeNode({ chain, clusterId: TEST_NETWORK.clusterId, number, relay, ...options }))
  }
  return {
    chain,
    nodes,
    network: TEST_NETWORK,
    nodeOf: (operator: string) => nodes.find((node) => node.operator === operator),
    stop: async () => void (await Promise.all(nodes.map((node) => node.stop()))),
  }
}

export type FakeNetwork = Awaited<ReturnType<typeof startFakeNetwork>>

/** Gives the circuit's signals without a proof, at once: for tests that are not about proofs. */
export function createFakeEngine(): ProofEngine {
  const prove: ProofEngine['prove'] = async (inputs) => {
    const { identitySecret, userMessageLimit, messageId, x, externalNullifier } = inputs
    const { y, nullifier } = share(identitySecret, externalNullifier, Number(messageId), x)
    const leaf = rateCommitment(identityFromSecret(identitySecret).commitment, Number(userMessageLimit))
    const path = { siblings: [...inputs.pathElements], indices: [...inputs.identityPathIndex] }
    return {
      proof: new Uint8Array(256),
      signals: [y, rootOfPath(leaf, path), nullifier, x, externalNullifier],
    }
  }
  return {
    setup: async () => ({ kind: 'ceremony' }),
    prepare: async () => undefined,
    warm: async () => undefined,
    prove,
    proveAhead: async (inputs) => ({ complete: (x) => prove({ ...inputs, x }), drop: () => undefined }),
    verify: async () => true,
    close: async () => undefined,
  }
}
