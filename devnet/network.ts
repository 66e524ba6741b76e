// A whole network on this machine: a chain, contracts, staked nodes as processes of their own.
import { type Devchain, startChain } from './chain.ts'
import { until } from './figures.ts'
import { createOperator, type Operator } from './operators.ts'
import type { Processes } from './processes.ts'
import { createTreasury, type Treasury } from './treasury.ts'

const NAMES = [
  'north',
  'east',
  'south',
  'west',
  'ash',
  'birch',
  'cedar',
  'elm',
  'fir',
  'hazel',
  'larch',
  'oak',
]
export const MAX_NODES = NAMES.length
/** Operators set up at the same time: each step is a process of its own. */
const SETUP_CONCURRENCY = 2
const READY_TIMEOUT_MS = 60_000

export type Devnet = { devchain: Devchain; treasury: Treasury; directory: string; operators: Operator[] }

/** Starts the chain and deploys. */
export async function startDevchain(
  processes: Processes,
  directory: string,
): Promise<Omit<Devnet, 'operators'>> {
  const devchain = await startChain(processes, directory)
  return { devchain, treasury: await createTreasury(devchain.network), directory }
}

/** Creates, funds, stakes and starts `count` operators, and waits until every node is ready and sees the others. */
export async function startOperators(
  processes: Processes,
  base: Omit<Devnet, 'operators'>,
  count: number,
  onProgress: (done: number) => void = () => {},
): Promise<Operator[]> {
  const names = NAMES.slice(0, count)
  const operators: Operator[] = []
  const waiting = [...names]
  const work = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const operator = await createOperator({ ...base, processes, name })
      await operator.start()
      operators.push(operator)
      onProgress(operators.length)
    }
  }
  await Promise.all(Array.from({ length: SETUP_CONCURRENCY }, work))
  operators.sort((a, b) => names.indexOf(a.name) - names.indexOf(b.name))
  for (const operator of operators) {
    await until(`${operator.name} is ready`, READY_TIMEOUT_MS, () => isReady(operator, count - 1))
  }
  return operators
}

/** Ready by its own word, and in the gossip mesh with every other node (of a small network). */
async function isReady(operator: Operator, others: number): Promise<boolean> {
  const ready = await operator.getText('/readyz').then(
    () => true,
    () => false,
  )
  if (!ready) return false
  const { topics } = await operator.get<{ topics: { meshPeers: number }[] }>('/v1/relay')
  return topics.every(({ meshPeers }) => meshPeers >= Math.min(others, 3))
}
