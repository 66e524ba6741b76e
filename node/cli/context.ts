import { existsSync } from 'node:fs'
import { PostriderError } from '@postrider/protocol/errors'
import { getAddress } from 'viem'
import { configPaths } from '../core/config/index.ts'
import { keystoreAddress, readKeyFile } from '../core/keystore.ts'
import { loadIdentityKey } from '../core/p2p/identity.ts'
import { peerKeyOf } from '../operator/peer-key.ts'
import type { PlanContext } from '../operator/types.ts'
import { openChainReader } from './chain.ts'
import type { Cli } from './cli.ts'

/** What a command about the chain works with. */
export type ChainContext = PlanContext

/**
 * Reads configuration, network and public keys, acts, and lets go of the connections to the chain.
 *
 * @throws PostriderError `CLI_NOT_INITIALIZED`, `CONFIG_*`, `KEYS_*`, `CHAIN_*`, and what `act` throws
 */
export async function withChain<T>(cli: Cli, act: (context: ChainContext) => Promise<T>): Promise<T> {
  const config = await cli.loadConfig()
  const { keystoreFile, identityFile } = configPaths(config)
  const network = await cli.loadNetwork(config)
  const address = keystoreAddress(await readKeyFile(keystoreFile))
  if (address === undefined) {
    throw new PostriderError('KEYS_FILE_INVALID', { detail: `${keystoreFile} does not say its address` })
  }
  const chain = openChainReader(cli, config, network)
  try {
    return await act({
      config,
      chain,
      account: getAddress(address),
      async peerKey() {
        if (!existsSync(identityFile)) throw new PostriderError('KEYS_FILE_MISSING', { detail: identityFile })
        return peerKeyOf(await loadIdentityKey(identityFile))
      },
    })
  } finally {
    chain.close()
  }
}
