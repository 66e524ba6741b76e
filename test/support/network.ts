// A network of its own for one test file: chain, contracts and nodes as real processes, in a folder that goes with it.
import { writeFileSync } from 'node:fs'
import type { Network } from '@postrider/protocol/network'
import { afterAll, beforeAll } from 'vitest'
import { type Devnet, startDevchain, startOperators } from '../../devnet/network.ts'
import { createProcesses, type Processes } from '../../devnet/processes.ts'
import { createTempDir } from '../../node/core/testing/temp-dir.ts'

export type TestNetwork = Devnet & { processes: Processes }

type TestNetworkOptions = {
  /** Nodes to stake and start; 1. */
  nodes?: number
  /** What the network file says instead; none of it is on chain. */
  change?: Partial<Pick<Network, 'epochSeconds' | 'shardCount'>>
}

/** Seconds on a quiet machine; a machine that runs much else must not fail the test for it. */
const START_TIMEOUT_MS = 240_000

/**
 * Starts a network before the tests of the file and ends it after them, whatever became of the start. The answer is
 * empty until then.
 */
export function useTestNetwork({ nodes = 1, change }: TestNetworkOptions = {}): TestNetwork {
  const net = {} as TestNetwork
  let stop = async () => {}

  beforeAll(async () => {
    const folder = await createTempDir()
    const processes = createProcesses(folder.path)
    stop = async () => {
      await processes.stopAll()
      await folder.remove()
    }
    const base = await startDevchain(processes, folder.path)
    if (change) changeNetwork(base.devchain, change)
    Object.assign(net, { ...base, processes, operators: [] })
    net.operators.push(...(await startOperators(processes, base, nodes)))
  }, START_TIMEOUT_MS)
  afterAll(() => stop())
  return net
}

function changeNetwork(devchain: Devnet['devchain'], change: Partial<Network>): void {
  devchain.network = { ...devchain.network, ...change }
  writeFileSync(devchain.networkFile, JSON.stringify(devchain.network))
}
