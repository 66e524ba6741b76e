import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { deploy } from '@postrider/contracts/deploy'
import { type Network, parseNetwork } from '@postrider/protocol/network'
import type { Address, Hex } from '@postrider/protocol/wire'
import {
  createTestClient,
  defineChain,
  encodeFunctionData,
  type HDAccount,
  http,
  parseAbi,
  publicActions,
  walletActions,
} from 'viem'
import { mnemonicToAccount } from 'viem/accounts'
import { createTempDir } from '../../core/testing/temp-dir.ts'

/** Development accounts of the node program; worth nothing anywhere. */
const MNEMONIC = 'test test test test test test test test test test test junk'

const REPOSITORY = join(import.meta.dirname, '..', '..', '..')

const faucetAbi = parseAbi(['function faucet(address to, uint256 amount)'])

/** A real development chain in a process of its own, with the contracts deployed. */
export type DevChain = AsyncDisposable & {
  readonly url: string
  readonly port: number
  readonly network: Network
  /** Funded accounts; number 0 deployed. */
  account(index: number): HDAccount
  /** viem's client with public, wallet and test actions. */
  readonly client: ReturnType<typeof createClient>
  /** Mints devnet tokens, base units. */
  mint(to: Address, amount: bigint): Promise<void>
  /** Sets the native balance, wei. */
  fund(to: Address, amount: bigint): Promise<void>
  mine(blocks?: number): Promise<void>
  increaseTime(seconds: number): Promise<void>
  /** Off: transactions wait for `mine`. */
  setAutomine(on: boolean): Promise<void>
  snapshot(): Promise<Hex>
  /** Goes back to a snapshot, which is used up. */
  revert(snapshot: Hex): Promise<void>
  stop(): Promise<void>
}

/** Starts a chain on a free port of the loopback interface and deploys; takes about four seconds. */
export async function startDevChain(): Promise<DevChain> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const child = await spawnNode(port)
  const dir = await createTempDir()
  const stop = async () => {
    await kill(child)
    await dir.remove()
  }
  try {
    const network = parseNetwork(await deploy({ rpcUrl: url, deploymentDir: dir.file('deployment') }))
    return createDevChain({ url, port, network, stop })
  } catch (error) {
    await stop()
    throw error
  }
}

function createDevChain(base: {
  url: string
  port: number
  network: Network
  stop(): Promise<void>
}): DevChain {
  const client = createClient(base.url, base.network.chainId)
  const account = (index: number) => mnemonicToAccount(MNEMONIC, { addressIndex: index })
  return {
    ...base,
    client,
    account,
    async mint(to, amount) {
      const data = encodeFunctionData({ abi: faucetAbi, functionName: 'faucet', args: [to, amount] })
      const hash = await client.sendTransaction({
        account: account(0),
        to: base.network.contracts.token,
        data,
      })
      await client.waitForTransactionReceipt({ hash })
    },
    fund: (to, amount) => client.setBalance({ address: to, value: amount }),
    mine: (blocks = 1) => client.mine({ blocks }),
    async increaseTime(seconds) {
      await client.increaseTime({ seconds })
      await client.mine({ blocks: 1 })
    },
    setAutomine: (on) => client.setAutomine(on),
    snapshot: () => client.snapshot(),
    revert: (id) => client.revert({ id }),
    [Symbol.asyncDispose]: base.stop,
  }
}

function createClient(url: string, chainId: number) {
  const chain = defineChain({
    id: chainId,
    name: 'development',
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [url] } },
  })
  return createTestClient({ mode: 'hardhat', chain, cacheTime: 0, pollingInterval: 20, transport: http(url) })
    .extend(publicActions)
    .extend(walletActions)
}

async function spawnNode(port: number): Promise<ChildProcess> {
  const manifest = createRequire(import.meta.url).resolve('hardhat/package.json')
  const program = join(dirname(manifest), 'dist', 'src', 'cli.js')
  const args = [program, 'node', '--hostname', '127.0.0.1', '--port', String(port)]
  const child = spawn(process.execPath, args, { cwd: REPOSITORY, stdio: ['ignore', 'pipe', 'ignore'] })
  // The test process may end without stopping the chain.
  process.once('exit', () => child.kill('SIGKILL'))
  const lines = createInterface({ input: child.stdout })
  for await (const line of lines) if (line.includes('Started HTTP')) break
  child.stdout.resume()
  return child
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}
