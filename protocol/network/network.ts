import { PostriderError } from '../errors/index.ts'
import { type Address, MAX_CLUSTER_ID, MAX_SHARD_COUNT } from '../wire/index.ts'
import { MAX_BOOTSTRAP, MAX_EPOCH_SECONDS, MAX_RPC_URLS, MAX_TEXT_CHARS } from './constants.ts'

/** One deployed network. Two files that differ in anything but rpcUrls and bootstrap are two networks. */
export type Network = {
  /** For people, for example `devnet`. */
  name: string
  /** EIP-155 chain id. */
  chainId: number
  rpcUrls: string[]
  contracts: {
    token: Address
    nodeRegistry: Address
    paymentChannels: Address
    rlnMembership: Address
  }
  /** The block of the first deployment: where reading events starts. */
  deployBlock: number
  /** Bound by every rate-limit proof, so that a proof of one network is worthless in another. */
  networkId: string
  clusterId: number
  shardCount: number
  /** Length of an RLN epoch, seconds. */
  epochSeconds: number
  /** Multiaddrs. */
  bootstrap: string[]
}

type Fields = Readonly<Record<string, unknown>>

/**
 * Checks a parsed JSON value; unknown keys are ignored.
 * @throws CONFIG_NETWORK_INVALID with the name of the first bad key in `data.key`.
 */
export function parseNetwork(json: unknown): Network {
  const file = object(json, 'network')
  const contracts = object(file.contracts, 'contracts')
  return {
    name: text(file, 'name'),
    chainId: integer(file, 'chainId', 1, Number.MAX_SAFE_INTEGER),
    rpcUrls: texts(file, 'rpcUrls', MAX_RPC_URLS),
    contracts: {
      token: address(contracts, 'token'),
      nodeRegistry: address(contracts, 'nodeRegistry'),
      paymentChannels: address(contracts, 'paymentChannels'),
      rlnMembership: address(contracts, 'rlnMembership'),
    },
    deployBlock: integer(file, 'deployBlock', 0, Number.MAX_SAFE_INTEGER),
    networkId: text(file, 'networkId'),
    clusterId: integer(file, 'clusterId', 0, MAX_CLUSTER_ID),
    shardCount: integer(file, 'shardCount', 1, MAX_SHARD_COUNT),
    epochSeconds: integer(file, 'epochSeconds', 1, MAX_EPOCH_SECONDS),
    bootstrap: texts(file, 'bootstrap', MAX_BOOTSTRAP),
  }
}

function invalid(key: string, expected: string): PostriderError {
  return new PostriderError('CONFIG_NETWORK_INVALID', {
    detail: `${key} must be ${expected}`,
    data: { key },
  })
}

function object(value: unknown, key: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(key, 'an object')
  return value as Fields
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_TEXT_CHARS
}

function text(fields: Fields, key: string): string {
  const value = fields[key]
  if (!isText(value)) throw invalid(key, 'a text')
  return value
}

function texts(fields: Fields, key: string, limit: number): string[] {
  const value = fields[key]
  if (!Array.isArray(value) || value.length > limit || !value.every(isText)) {
    throw invalid(key, `a list of at most ${limit} texts`)
  }
  return [...value]
}

function integer(fields: Fields, key: string, min: number, max: number): number {
  const value = fields[key]
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max) {
    throw invalid(key, `an integer in ${min}..${max}`)
  }
  return value
}

function address(fields: Fields, key: string): Address {
  const value = fields[key]
  if (typeof value !== 'string' || !/^0x[0-9a-fA-F]{40}$/.test(value)) throw invalid(key, 'an address')
  return value as Address
}
