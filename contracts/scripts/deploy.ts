/**
 * Deploys Postrider's contracts with Ignition and writes the network file that nodes, clients and dashboard read.
 *
 * Idempotent: Ignition's journal in the deployment directory remembers what was done, so a second run sends nothing,
 * and a run that was interrupted goes on where it stopped. On a local development chain (id 31337) that was restarted
 * empty, the journal is recognised as stale and dropped.
 *
 * `node contracts/scripts/deploy.ts --rpc URL --out FILE --deployment-dir DIR [options]`, see {@link USAGE}.
 */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { inspect, parseArgs } from 'node:util'
import {
  type DeploymentResult,
  DeploymentResultType,
  deploy as deployModule,
  type EIP1193Provider,
} from '@nomicfoundation/ignition-core'
import type { Hex } from 'viem'
import { Postrider, PostriderDevnet } from '../ignition/modules/postrider.ts'
import { DEVNET_PARAMETERS, type DeploymentParameters, PUBLIC_PARAMETERS } from '../ignition/parameters.ts'
import { artifactResolver, ensureBuilt } from './artifacts.ts'
import { createProvider } from './provider.ts'

/** Chain id of local development chains, which may be restarted empty under the same id. */
const LOCAL_CHAIN_ID = 31_337

/** How often Ignition looks for new blocks, milliseconds; a development chain mines at once. */
const BLOCK_POLLING_INTERVAL_MS = 50

const USAGE = `usage: node contracts/scripts/deploy.ts --rpc URL --out FILE --deployment-dir DIR
  --name NAME            for people (devnet)
  --network-id ID        bound by every rate-limit proof (postrider-devnet)
  --epoch-seconds N      length of an epoch (10)
  --shards N             (1)
  --cluster N            (42)
  --token ADDRESS        an existing plain ERC-20; without it a devnet token with a faucet is deployed
  --parameters PRESET    devnet or public (devnet)
  --key-file FILE        hex private key of the deployer; without it the endpoint's first account deploys
  --confirmations N      blocks to wait for (1 on a local chain, 5 elsewhere)`

type Address = `0x${string}`

/** A deployment did not succeed; `reasons` is Ignition's result. Run again to go on where it stopped. */
export class DeploymentError extends Error {
  readonly reasons: unknown
  constructor(message: string, reasons?: unknown) {
    super(reasons === undefined ? message : `${message}: ${inspect(reasons, { depth: 5 })}`)
    this.name = 'DeploymentError'
    this.reasons = reasons
  }
}

/** The network file; the same shape as the protocol's `Network`. */
export type DeployedNetwork = {
  name: string
  chainId: number
  rpcUrls: string[]
  contracts: { token: Address; nodeRegistry: Address; paymentChannels: Address; rlnMembership: Address }
  deployBlock: number
  networkId: string
  clusterId: number
  shardCount: number
  epochSeconds: number
  bootstrap: string[]
}

export type DeployOptions = {
  readonly rpcUrl: string
  /** Where Ignition keeps its journal; belongs to one chain. */
  readonly deploymentDir: string
  /** Where to write the network file; not written without it. */
  readonly out?: string
  readonly name?: string
  readonly networkId?: string
  readonly epochSeconds?: number
  readonly shardCount?: number
  readonly clusterId?: number
  readonly token?: Address
  readonly parameters?: DeploymentParameters
  readonly privateKey?: Hex
  readonly confirmations?: number
}

/**
 * Deploys what is not deployed yet.
 *
 * @returns The network, whose `bootstrap` is that of an existing file for the same contracts, else empty.
 * @throws DeploymentError
 */
export async function deploy(options: DeployOptions): Promise<DeployedNetwork> {
  await ensureBuilt()
  const provider = createProvider(options.rpcUrl, options.privateKey)
  const chainId = Number(await provider.request({ method: 'eth_chainId' }))
  if (chainId === LOCAL_CHAIN_ID) await dropStaleJournal(provider, options.deploymentDir)
  const deployBlock = await startBlock(provider, options.deploymentDir)
  const contracts = await runIgnition(provider, chainId, options)
  const network: DeployedNetwork = {
    name: options.name ?? 'devnet',
    chainId,
    rpcUrls: [options.rpcUrl],
    contracts,
    deployBlock,
    networkId: options.networkId ?? 'postrider-devnet',
    clusterId: options.clusterId ?? 42,
    shardCount: options.shardCount ?? 1,
    epochSeconds: options.epochSeconds ?? 10,
    bootstrap: [],
  }
  return options.out === undefined ? network : writeNetwork(options.out, network)
}

async function runIgnition(
  provider: EIP1193Provider,
  chainId: number,
  options: DeployOptions,
): Promise<DeployedNetwork['contracts']> {
  const parameters = { ...(options.parameters ?? DEVNET_PARAMETERS) }
  const common = {
    artifactResolver,
    provider,
    deploymentDir: options.deploymentDir,
    accounts: (await provider.request({ method: 'eth_accounts' })) as string[],
    config: {
      blockPollingInterval: BLOCK_POLLING_INTERVAL_MS,
      requiredConfirmations: options.confirmations ?? (chainId === LOCAL_CHAIN_ID ? 1 : 5),
    },
  }
  const result =
    options.token === undefined
      ? await deployModule({
          ...common,
          ignitionModule: PostriderDevnet,
          deploymentParameters: { PostriderDevnet: parameters },
        })
      : await deployModule({
          ...common,
          ignitionModule: Postrider,
          deploymentParameters: { Postrider: { ...parameters, token: options.token } },
        })
  return addresses(result)
}

/** Addresses by what they are, whichever module was run. */
function addresses(result: DeploymentResult): DeployedNetwork['contracts'] {
  if (result.type !== DeploymentResultType.SUCCESSFUL_DEPLOYMENT) {
    throw new DeploymentError('deployment failed', result)
  }
  const address = (contractName: string): Address => {
    const found = Object.values(result.contracts).find((c) => c.contractName === contractName)
    if (found === undefined) throw new DeploymentError(`deployment without ${contractName}`)
    return found.address as Address
  }
  const token = Object.values(result.contracts).find((c) => /#(PostToken|Token)$/.test(c.id))
  if (token === undefined) throw new DeploymentError('deployment without a token')
  return {
    token: token.address as Address,
    nodeRegistry: address('NodeRegistry'),
    paymentChannels: address('PaymentChannels'),
    rlnMembership: address('RlnMembership'),
  }
}

/** Where reading events starts: the first block that can hold a deployment, remembered in case a run is interrupted. */
async function startBlock(provider: EIP1193Provider, deploymentDir: string): Promise<number> {
  const path = join(deploymentDir, 'start-block.json')
  const known = await readJson<{ startBlock: number }>(path)
  if (known !== undefined) return known.startBlock
  const startBlock = Number(await provider.request({ method: 'eth_blockNumber' })) + 1
  await writeJson(path, { startBlock })
  return startBlock
}

/** Removes a journal whose contracts are not on this chain, because the chain was started anew. */
async function dropStaleJournal(provider: EIP1193Provider, deploymentDir: string): Promise<void> {
  const path = join(deploymentDir, 'deployed_addresses.json')
  const deployed = await readJson<Record<string, string>>(path)
  if (deployed === undefined) return
  const codes = await Promise.all(
    Object.values(deployed).map((a) => provider.request({ method: 'eth_getCode', params: [a, 'latest'] })),
  )
  if (codes.some((code) => code === '0x')) await rm(deploymentDir, { recursive: true })
}

/** Writes the file if it says something else; whoever added bootstrap addresses for these contracts keeps them. */
async function writeNetwork(path: string, network: DeployedNetwork): Promise<DeployedNetwork> {
  const present = await readJson<DeployedNetwork>(path)
  const same = JSON.stringify(present?.contracts) === JSON.stringify(network.contracts)
  const next = same ? { ...network, bootstrap: present?.bootstrap ?? [] } : network
  if (JSON.stringify(present) !== JSON.stringify(next)) await writeJson(path, next)
  return next
}

async function readJson<T>(path: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Writes beside and renames, so that nobody reads half a file. */
async function writeJson(path: string, value: unknown): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const draft = `${path}.${process.pid}.tmp`
  await writeFile(draft, `${JSON.stringify(value, null, 2)}\n`)
  await rename(draft, path)
}

/** What the command line says; undefined if it is incomplete or makes no sense. */
async function readOptions(): Promise<DeployOptions | undefined> {
  const { values } = parseArgs({
    options: {
      rpc: { type: 'string' },
      out: { type: 'string' },
      'deployment-dir': { type: 'string' },
      name: { type: 'string' },
      'network-id': { type: 'string' },
      'epoch-seconds': { type: 'string' },
      shards: { type: 'string' },
      cluster: { type: 'string' },
      token: { type: 'string' },
      parameters: { type: 'string', default: 'devnet' },
      'key-file': { type: 'string' },
      confirmations: { type: 'string' },
    },
  })
  const { rpc, out, 'deployment-dir': deploymentDir, 'key-file': keyFile } = values
  const parameters = { devnet: DEVNET_PARAMETERS, public: PUBLIC_PARAMETERS }[values.parameters]
  const numbers = [values['epoch-seconds'], values.shards, values.cluster, values.confirmations]
  const [epochSeconds, shardCount, clusterId, confirmations] = numbers.map((text) =>
    text === undefined ? undefined : Number(text),
  )
  const counts = [epochSeconds, shardCount, clusterId, confirmations]
  if (counts.some((n) => n !== undefined && (!Number.isSafeInteger(n) || n < 0))) return undefined
  if (rpc === undefined || out === undefined || deploymentDir === undefined || parameters === undefined) {
    return undefined
  }
  return {
    rpcUrl: rpc,
    out,
    deploymentDir,
    name: values.name,
    networkId: values['network-id'],
    epochSeconds,
    shardCount,
    clusterId,
    token: values.token as Address | undefined,
    parameters,
    privateKey: keyFile === undefined ? undefined : ((await readFile(keyFile, 'utf8')).trim() as Hex),
    confirmations,
  }
}

async function main(): Promise<number> {
  const options = await readOptions()
  if (options === undefined) {
    console.error(USAGE)
    return 2
  }
  console.log(JSON.stringify(await deploy(options), null, 2))
  return 0
}

if (import.meta.main) process.exitCode = await main()
