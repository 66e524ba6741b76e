import { PostriderError } from '../errors/index.ts'

/**
 * Ids of chains on one's own machine, where nothing has value: what Hardhat and Anvil, Ganache and `geth --dev` take.
 * An endpoint on loopback says nothing: it may be a full node of a public chain.
 */
export const LOCAL_CHAIN_IDS: ReadonlySet<number> = new Set([31_337, 1_337])

/** Keys from a ceremony say so in their manifest; of any other kind nobody knows who can forge proofs. */
const SOUND_KIND = 'ceremony'

/** How proving and verification key were made, as their manifest says. */
export type KeySetup = { readonly kind?: unknown }

/**
 * Whether keys may be used on a chain. Under keys of a development set-up anyone can make proofs that verify.
 *
 * @returns `development` if they may, but only because the chain is local or the operator said so: warn of it
 * @throws CIRCUITS_DEVELOPMENT_KEYS
 */
export function checkKeySetup(
  setup: KeySetup | undefined,
  { chainId, allowDevelopmentKeys = false }: { chainId: number; allowDevelopmentKeys?: boolean | undefined },
): 'sound' | 'development' {
  if (setup?.kind === SOUND_KIND) return 'sound'
  if (LOCAL_CHAIN_IDS.has(chainId) || allowDevelopmentKeys) return 'development'
  throw developmentKeys(setup, chainId)
}

/** The same as an error: what refuses, or what a warning says. */
export function developmentKeys(setup: KeySetup | undefined, chainId: number): PostriderError {
  const kind = typeof setup?.kind === 'string' ? setup.kind : 'unknown'
  return new PostriderError('CIRCUITS_DEVELOPMENT_KEYS', {
    detail: `set-up "${kind}" on chain ${chainId}`,
    data: { kind, chainId },
  })
}
