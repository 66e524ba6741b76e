// A network of its own for one test file: chain, contracts and nodes as real processes, in a folder that goes with it.
import { writeFileSync } from 'node:fs'
import type { Network } from '@postrider/protocol/network'
import { type Devnet, startDevchain, startOperators } from '../../devnet/network.ts'
import { createProcesses, type Processes } from '../../devnet/processes.ts'
import { createTempDir } from '../../node/core/testing/temp-dir.ts'

export type TestNetwork = Devnet & {
  processes: Processes
  /** Stops what runs, whatever state it is in, and removes every file. */
  stop(): Promise<void>
}

type TestNetworkOptions = {
  /** Nodes to stake and start; 1. */
  nodes?: number
  /** What the network file says instead; none of it is on chain. */
  change?: Partial<Pick<Network, 'epochSeconds' | 'shardCount'>>
}

export async function startTestNetwork({ nodes = 1, change }: TestNetworkOptions = {}): Promise<TestNetwork> {
  const folder = await createTempDir()
  const processes = createProcesses(folder.path)
  // A test runner that is interrupted ends its workers by SIGTERM, which runs no exit handlers.
  const onTerminate = () => {
    void processes.stopAll()
    process.kill(process.pid, 'SIGTERM')
  }
  process.once('SIGTERM', onTerminate)
  const stop = async () => {
    process.off('SIGTERM', onTerminate)
    await processes.stopAll()
    await folder.remove()
  }
  try {
    const base = await startDevchain(processes, folder.path)
    if (change) changeNetwork(base.devchain, change)
    const operators = await startOperators(processes, base, nodes)
    return { ...base, operators, processes, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function changeNetwork(devchain: Devnet['devchain'], change: Partial<Network>): void {
  devchain.network = { ...devchain.network, ...change }
  writeFileSync(devchain.networkFile, JSON.stringify(devchain.network))
}
