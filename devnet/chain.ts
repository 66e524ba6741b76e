// A local chain for the devnet: hardhat's node on loopback with funded accounts, and Postrider's contracts on it.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Network, parseNetwork } from '@postrider/protocol/network'
import { type Child, freePort, type Processes, waitForLine } from './processes.ts'

const START_TIMEOUT_MS = 60_000
/** Short enough that a spammer is caught within the story, long enough for a proof on a busy machine. */
const EPOCH_SECONDS = 20

export type Devchain = { child: Child; rpcUrl: string; network: Network; networkFile: string }

export async function startChain(processes: Processes, directory: string): Promise<Devchain> {
  const port = await freePort()
  const rpcUrl = `http://127.0.0.1:${port}`
  const hardhat = join('node_modules', 'hardhat', 'dist', 'src', 'cli.js')
  const child = processes.start('chain', [hardhat, 'node', '--hostname', '127.0.0.1', '--port', String(port)])
  await waitForLine(child, /Started HTTP and WebSocket JSON-RPC server/, START_TIMEOUT_MS)
  const networkFile = join(directory, 'network.json')
  await processes.exec([
    join('contracts', 'scripts', 'deploy.ts'),
    ...['--rpc', rpcUrl, '--out', networkFile, '--deployment-dir', join(directory, 'deployment')],
    ...[
      '--network-id',
      'postrider-devnet',
      '--epoch-seconds',
      String(EPOCH_SECONDS),
      '--shards',
      '1',
      '--cluster',
      '42',
    ],
  ])
  const network = parseNetwork(JSON.parse(readFileSync(networkFile, 'utf8')))
  return { child, rpcUrl, network, networkFile }
}
