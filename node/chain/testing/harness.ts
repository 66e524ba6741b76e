import { nodeRegistryAbi, paymentChannelsAbi, postTokenAbi, rlnMembershipAbi } from '@postrider/contracts'
import type { LocalAccount } from 'viem'
import { type Clock, systemClock } from '../../core/clock.ts'
import { type Database, openDatabase } from '../../core/db/index.ts'
import { silentLogger } from '../../core/logger.ts'
import { createMetrics } from '../../core/metrics.ts'
import { type Chain, type ChainOptions, createChain } from '../index.ts'
import type { DevChain } from './devchain.ts'

const abis = {
  token: postTokenAbi,
  nodeRegistry: nodeRegistryAbi,
  paymentChannels: paymentChannelsAbi,
  rlnMembership: rlnMembershipAbi,
} as const

/** Largest allowance. */
const UNLIMITED = 2n ** 256n - 1n

/** The whole of node/chain on a real chain and a real database. */
export type ChainHarness = Chain & {
  database: Database
  /** Looks at the chain now. */
  sync(): Promise<void>
  stop(): Promise<void>
}

/** Starts node/chain as a node does, with quick polls and no confirmations unless told otherwise. */
export async function startChain(
  dev: DevChain,
  databaseFile: string,
  account: LocalAccount,
  options: Partial<ChainOptions> = {},
  clock: Clock = systemClock,
): Promise<ChainHarness> {
  const database = await openDatabase(databaseFile)
  const chain = createChain(
    { clock, logger: silentLogger, metrics: createMetrics(), db: database.db },
    {
      network: dev.network,
      rpcUrls: [dev.url],
      account,
      confirmations: 0,
      maxBlockRange: 100,
      pollMs: 25,
      lagSeconds: 60,
      maxHeadAgeSeconds: 0,
      maxFeePerGas: 1_000_000_000_000n,
      ...options,
    },
  )
  await chain.membershipFile?.start()
  await chain.follower.start()
  await chain.sender.start()
  return {
    ...chain,
    database,
    sync: () => chain.follower.refresh(),
    async stop() {
      await chain.sender.stop()
      await chain.follower.stop()
      await chain.membershipFile?.stop()
      chain.client.stop()
      await database.close()
    },
  }
}

/** Calls a contract from a development account and waits; for what others than the node under test do. */
export async function callAs(
  dev: DevChain,
  account: LocalAccount,
  contract: keyof typeof abis,
  functionName: string,
  args: readonly unknown[],
): Promise<void> {
  const hash = await dev.client.writeContract({
    account,
    address: dev.network.contracts[contract],
    abi: abis[contract],
    functionName: functionName as never,
    args: args as never,
  })
  await dev.client.waitForTransactionReceipt({ hash })
}

/** Gives an account tokens and lets every contract take them. */
export async function provision(dev: DevChain, account: LocalAccount, amount = 10n ** 21n): Promise<void> {
  await dev.mint(account.address, amount)
  for (const contract of ['nodeRegistry', 'paymentChannels', 'rlnMembership'] as const) {
    await callAs(dev, account, 'token', 'approve', [dev.network.contracts[contract], UNLIMITED])
  }
}
