import { PostriderError } from '@postrider/protocol/errors'
import type { Network } from '@postrider/protocol/network'
import { createChainClient } from '../chain/client.ts'
import { readAddress } from '../core/address.ts'
import type { Config } from '../core/config/index.ts'
import { silentLogger } from '../core/logger.ts'
import { type ChainReader, createChainReader } from '../operator/chain-reader.ts'
import type { Cli } from './cli.ts'

/** A reader with connections of its own, which `close` ends. */
export type OwnChainReader = ChainReader & { close(): void }

export function openChainReader({ io }: Pick<Cli, 'io'>, config: Config, network: Network): OwnChainReader {
  const client = createChainClient(
    { clock: io.clock, logger: silentLogger },
    { network, rpcUrls: config.rpcUrls },
  )
  return { ...createChainReader(client, config.chain.maxFeePerGas), close: () => client.stop() }
}

const ZERO_ADDRESS = `0x${'0'.repeat(40)}`

/**
 * Reads an account address in any case; upper and lower case mixed must be its EIP-55 checksum.
 *
 * @returns the address with its checksum
 * @throws PostriderError `CLI_ADDRESS_INVALID`
 */
export function parseAddress(text: string, what: string): `0x${string}` {
  const address = readAddress(text)
  if (address !== undefined && address !== ZERO_ADDRESS) return address
  const mistyped = /^0x[0-9a-fA-F]{40}$/.test(text) && address === undefined
  const problem = mistyped ? 'has a wrong checksum' : 'is none'
  throw new PostriderError('CLI_ADDRESS_INVALID', { detail: `${what} ${problem}: ${text.slice(0, 60)}` })
}
