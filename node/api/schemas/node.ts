import { z } from 'zod'
import { address, count, postAmount, timestamp } from './common.ts'

export const nodeInfo = z
  .object({
    version: z.string(),
    peerId: z.string(),
    addresses: z.array(z.string()).describe('Multiaddrs that peers can dial'),
    startedAt: timestamp,
    services: z.array(z.enum(['relay', 'store', 'lightpush', 'filter'])),
    network: z.object({
      name: z.string(),
      chainId: count,
      networkId: z.string(),
      clusterId: count,
      shardCount: count,
      shards: z.array(count).describe('Shards this node relays'),
      epochSeconds: count.describe('Length of one RLN epoch'),
      contracts: z.object({
        token: address,
        nodeRegistry: address,
        paymentChannels: address,
        rlnMembership: address,
      }),
    }),
    operator: z.object({
      account: address.describe('The registered operator: payee of the channels, pays gas'),
      signer: address.describe('The hot key that signs for the node'),
      withdrawal: address.nullable().describe('The cold account that stake is paid to; null until staked'),
      pendingWithdrawal: address
        .nullable()
        .describe('Proposed next withdrawal account that has not confirmed'),
      payout: address
        .nullable()
        .describe('Where settlements are paid; null while the chain has not been read'),
    }),
    stake: z
      .object({
        state: z.enum(['none', 'active', 'below-minimum', 'exiting']),
        staked: postAmount,
        minimum: postAmount,
        locks: count.describe('Open disputes that hold the stake'),
        withdrawableAt: timestamp.nullable().describe('exiting: when the stake can leave'),
      })
      .nullable()
      .describe('null while the chain has not been read'),
    prices: z.object({
      publish: postAmount.describe('One lightpush'),
      query: postAmount.describe('One page of a store query'),
      push: postAmount.describe('One message pushed by filter'),
      freeRequests: count.describe('Requests per peer and epoch that cost nothing'),
    }),
  })
  .meta({ id: 'NodeInfo', description: 'Who this node is and what it offers' })

export const peer = z
  .object({
    peerId: z.string(),
    addresses: z.array(z.string()),
    direction: z.enum(['inbound', 'outbound']),
    agent: z.string().nullable().describe("The peer's own word for its software; unverified"),
    protocols: z.array(z.string()),
    connectedAt: timestamp,
    latencyMs: z.number().nonnegative().nullable(),
    meshTopics: z.array(z.string()).describe('Pubsub topics on which it is in the gossip mesh'),
    score: z
      .number()
      .nullable()
      .describe("Gossip score; below 0 it is ignored. null if it isn't a relay peer"),
  })
  .meta({ id: 'Peer', description: 'A connected peer' })
