import type { Address, Hex } from '@postrider/protocol/wire'
import type { ChainClient } from './client.ts'
import { readContract, submitCall } from './contracts.ts'
import type { Sender } from './sender.ts'
import type { Slashing, Slashings } from './slashings.ts'

/** What the slasher needs from the chain. */
export type SlashChain = {
  /** The account that promises and reveals. */
  readonly slasher: Address
  /** Our promise as the contract has it; undefined if there is none. */
  promise(commitHash: Hex): Promise<{ block: bigint; expiresAt: bigint } | undefined>
  /** atRisk: there is a deposit to take; slashed: somebody took it; gone: never registered, or paid back. */
  deposit(commitment: bigint): Promise<'atRisk' | 'slashed' | 'gone'>
  /** How many others go before our promise; undefined while it is not confirmed. */
  turn(commitHash: Hex): number | undefined
  /** The confirmed slashing of a member. */
  slashing(commitment: bigint): Slashing | undefined
  /** Sends the promise and waits for it; throws as `Sender.submit` does. */
  commit(commitHash: Hex, key: string): Promise<void>
  /** Sends the secret and waits; returns the transaction. Throws as `Sender.submit` does. */
  reveal(secret: bigint, nonce: Hex, key: string): Promise<Hex>
}

/** By the contract's number of the member's state: none, active, leaving, withdrawn, slashed. */
const DEPOSITS = ['gone', 'atRisk', 'atRisk', 'gone', 'slashed'] as const

/** @param options.receiver who is rewarded; the sending account if absent */
export function createSlashChain(
  components: { client: ChainClient; sender: Sender; slashings: Slashings },
  options: { receiver?: Address } = {},
): SlashChain {
  const { client, sender, slashings } = components
  const receiver = options.receiver ?? sender.address
  return {
    slasher: sender.address,
    async promise(commitHash) {
      const [block, expiresAt] = await readContract(client, 'rlnMembership', 'slashCommit', [
        sender.address,
        commitHash,
      ])
      return block === 0n ? undefined : { block, expiresAt }
    },
    async deposit(commitment) {
      const { status } = await readContract(client, 'rlnMembership', 'member', [commitment])
      return DEPOSITS[status] ?? 'gone'
    },
    turn: (commitHash) => slashings.turn(sender.address, commitHash),
    slashing: (commitment) => slashings.of(commitment),
    async commit(commitHash, key) {
      await submitCall(components, 'rlnMembership', 'commitSlash', [commitHash], key)
    },
    async reveal(secret, nonce, key) {
      const args = [secret, nonce, receiver] as const
      const receipt = await submitCall(components, 'rlnMembership', 'revealSlash', args, key)
      return receipt.transactionHash
    },
  }
}
