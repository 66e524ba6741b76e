/** A real development chain in a process of its own, on a free loopback port, with the contracts deployed. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { type Address, createPublicClient, createTestClient, createWalletClient, http } from 'viem'
import { type DeployedNetwork, deploy } from '../../scripts/deploy.ts'

const REPOSITORY = join(import.meta.dirname, '..', '..', '..')
const READY = /Started HTTP and WebSocket JSON-RPC server/
const POLLING_INTERVAL_MS = 20

export type LocalNode = { readonly rpcUrl: string; stop(): Promise<void> }

/** Asks the system for a port that is free now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}

/** Starts an empty chain. */
export async function startNode(): Promise<LocalNode> {
  const port = await freePort()
  const cli = join(
    dirname(createRequire(import.meta.url).resolve('hardhat/package.json')),
    'dist',
    'src',
    'cli.js',
  )
  const args = [cli, 'node', '--hostname', '127.0.0.1', '--port', String(port)]
  const child = spawn(process.execPath, args, { cwd: REPOSITORY, stdio: ['ignore', 'pipe', 'inherit'] })
  for await (const line of createInterface({ input: child.stdout })) {
    if (READY.test(line)) break
  }
  // The node prints every call; nobody reads it, and a full pipe would stop it.
  child.stdout.resume()
  return { rpcUrl: `http://127.0.0.1:${port}`, stop: () => stopped(child) }
}

/** An empty folder and how to remove it. */
export async function temporaryFolder(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'postrider-contracts-'))
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}

export type LocalChain = {
  readonly network: DeployedNetwork
  readonly client: ReturnType<typeof createClients>['client']
  readonly wallet: ReturnType<typeof createClients>['wallet']
  readonly test: ReturnType<typeof createClients>['test']
  /** Unlocked and funded; the first deployed. */
  readonly accounts: readonly Address[]
  stop(): Promise<void>
}

function createClients(rpcUrl: string) {
  const transport = http(rpcUrl)
  return {
    client: createPublicClient({ transport, pollingInterval: POLLING_INTERVAL_MS }),
    wallet: createWalletClient({ transport }),
    test: createTestClient({ mode: 'hardhat', transport }),
  }
}

/** Starts a chain and deploys. */
export async function startLocalChain(): Promise<LocalChain> {
  const node = await startNode()
  const folder = await temporaryFolder()
  const network = await deploy({ rpcUrl: node.rpcUrl, deploymentDir: join(folder.path, 'deployment') })
  const clients = createClients(node.rpcUrl)
  return {
    network,
    ...clients,
    accounts: await clients.wallet.getAddresses(),
    stop: async () => {
      await node.stop()
      await folder.remove()
    },
  }
}
