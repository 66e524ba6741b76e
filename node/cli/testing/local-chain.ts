import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { postTokenAbi } from '@postrider/contracts'
import { encodeFunctionData } from 'viem'
import { readNetworkFile } from '../cli.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const START_TIMEOUT_MS = 60_000

type Address = `0x${string}`

/** A chain of this machine with the contracts on it, for the tests of one file. */
export type LocalChain = AsyncDisposable & {
  networkFile: string
  rpcUrl: string
  /** Gives ether (wei) and tokens (base units, from the faucet). */
  fund(account: Address, funds: { ether?: bigint; tokens?: bigint }): Promise<void>
  /** Sends a call from one of the chain's own unlocked accounts. */
  send(to: Address, data: `0x${string}`): Promise<void>
  /** Whether transactions are mined at once; switched on, those that wait are mined. */
  setAutomine(on: boolean): Promise<void>
  /** Lets time pass and mines a block. */
  pass(seconds: number): Promise<void>
}

export async function startLocalChain(folder: string): Promise<LocalChain> {
  const port = await freePort()
  const rpcUrl = `http://127.0.0.1:${port}`
  const hardhat = join(ROOT, 'node_modules', 'hardhat', 'dist', 'src', 'cli.js')
  const child = spawn(process.execPath, [hardhat, 'node', '--hostname', '127.0.0.1', '--port', `${port}`], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await listening(child)
  const networkFile = join(folder, 'network.json')
  const deploy = join(ROOT, 'contracts', 'scripts', 'deploy.ts')
  const args = ['--rpc', rpcUrl, '--out', networkFile, '--deployment-dir', join(folder, 'deployment')]
  await promisify(execFile)(process.execPath, [deploy, ...args], { cwd: ROOT })
  const { contracts } = await readNetworkFile(networkFile)

  const request = async (method: string, params: unknown[]): Promise<unknown> => {
    const response = await fetch(rpcUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    })
    const { result, error } = (await response.json()) as { result?: unknown; error?: { message: string } }
    if (error) throw new Error(`${method}: ${error.message}`)
    return result
  }
  const [sender] = (await request('eth_accounts', [])) as [Address]
  const send = async (to: Address, data: `0x${string}`) => {
    await request('eth_sendTransaction', [{ from: sender, to, data }])
  }

  return {
    networkFile,
    rpcUrl,
    send,
    async fund(account, { ether = 0n, tokens = 0n }) {
      if (ether > 0n) await request('hardhat_setBalance', [account, `0x${ether.toString(16)}`])
      if (tokens > 0n) {
        await send(
          contracts.token,
          encodeFunctionData({ abi: postTokenAbi, functionName: 'faucet', args: [account, tokens] }),
        )
      }
    },
    async setAutomine(on) {
      await request('evm_setAutomine', [on])
      if (on) await request('evm_mine', [])
    },
    async pass(seconds) {
      await request('evm_increaseTime', [seconds])
      await request('evm_mine', [])
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => child.once('close', resolve))
      child.kill('SIGTERM')
      await closed
    },
  }
}

/** Resolves when hardhat says that it serves. */
function listening(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('hardhat does not start')), START_TIMEOUT_MS)
    const done = (act: () => void) => {
      clearTimeout(timer)
      act()
    }
    child.stdout?.on('data', (chunk: Buffer) => {
      if (chunk.includes('JSON-RPC server')) done(resolve)
    })
    child.once('exit', (code) => done(() => reject(new Error(`hardhat ended with ${code}`))))
  })
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
