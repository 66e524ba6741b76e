// Hands out test ether and test tokens on the devnet, and moves its clock. Uses the local chain's own accounts,
// whose keys are public knowledge: nothing of this works, or should, on a chain with value.
import { postTokenAbi } from '@postrider/contracts'
import type { Network } from '@postrider/protocol/network'
import { type Address, createTestClient, http, publicActions, type Transport, walletActions } from 'viem'
import { hardhat } from 'viem/chains'

/** What an account starts with: gas for a long session. */
export const ETHER_GRANT = 10n ** 19n
export const POST = 10n ** 18n
/** A block a second, so that confirmations arrive and time passes for the contracts. */
const BLOCK_INTERVAL_MS = 1_000

export type Treasury = Awaited<ReturnType<typeof createTreasury>>

export async function createTreasury(network: Network) {
  const chain = createTestClient({
    chain: hardhat,
    mode: 'hardhat',
    transport: http(network.rpcUrls[0]) as Transport,
  })
    .extend(publicActions)
    .extend(walletActions)
  const [account] = await chain.getAddresses()
  if (account === undefined) throw new TypeError('the local chain has no account')
  const token = { address: network.contracts.token, abi: postTokenAbi } as const
  const releaseBlocks = async () => {
    await chain.setAutomine(true)
    await chain.setIntervalMining({ interval: BLOCK_INTERVAL_MS / 1_000 })
  }
  await releaseBlocks()

  return {
    chain,
    /** Ether for gas and tokens from the faucet. */
    async grant(to: Address, tokens: bigint): Promise<void> {
      await chain.setBalance({ address: to, value: ETHER_GRANT })
      if (tokens === 0n) return
      const hash = await chain.writeContract({
        ...token,
        functionName: 'faucet',
        args: [to, tokens],
        account,
      })
      const { status } = await chain.waitForTransactionReceipt({ hash, pollingInterval: 100 })
      if (status !== 'success') throw new TypeError(`the faucet reverted: ${hash}`)
    },
    /** No block any more but those of `chain.mine`, until `releaseBlocks`. */
    async holdBlocks(): Promise<void> {
      await chain.setIntervalMining({ interval: 0 })
      await chain.setAutomine(false)
    },
    releaseBlocks,
    tokensOf: (holder: Address): Promise<bigint> =>
      chain.readContract({ ...token, functionName: 'balanceOf', args: [holder] }),
    /** Lets the contracts' clock jump. */
    async passTime(seconds: number): Promise<void> {
      await chain.increaseTime({ seconds })
      await chain.mine({ blocks: 1 })
    },
  }
}
