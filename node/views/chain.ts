import type { ChainState, ChainView } from '../api/types.ts'
import type { RpcHealth } from '../chain/rpc.ts'
import type { StoredTransaction } from '../chain/transaction-store.ts'
import { asOfChain, type ChainReadings, isConnected, isGasLow, toBlock } from './chain-readings.ts'
import { reasonOf } from './reasons.ts'
import type { NodeParts } from './types.ts'

type ChainViewParts = Pick<NodeParts, 'base' | 'keys'> & {
  chain: Pick<NodeParts['chain'], 'client' | 'follower' | 'sender' | 'transactions'>
}

export function createChainView(
  { base, keys, chain }: ChainViewParts,
  { operator }: Pick<ChainReadings, 'operator'>,
): ChainView {
  const { client, follower, sender, transactions } = chain
  return {
    async state() {
      const pending = await transactions.open(sender.address)
      const state = await operator.get()
      const connected = isConnected(chain)
      const { head, headTimestamp, reorgs } = follower.status()
      return {
        chainId: keys.network.chainId,
        connected,
        head: toBlock(head, headTimestamp),
        confirmed: asOfChain(chain),
        lagSeconds: ageSeconds(headTimestamp, base.clock.nowMs()),
        endpoints: endpointsOf(client.health()),
        account:
          state && connected
            ? { address: sender.address, ether: state.ether, post: state.post, low: isGasLow(state) }
            : null,
        pending: pending.flatMap(toPending),
        reorganisations: reorgs,
        finalised: state?.finalised ?? null,
      }
    },
  }
}

function ageSeconds(timestamp: number | undefined, nowMs: number): number | null {
  return timestamp === undefined ? null : Math.max(0, nowMs / 1000 - timestamp)
}

/** The first endpoint that works is asked first; the others that work stand by. */
export function endpointsOf(endpoints: readonly RpcHealth[]): ChainState['endpoints'] {
  const active = endpoints.findIndex(({ state }) => state === 'ok')
  return endpoints.map(({ url, state, latencyMs, lastError }, at) => ({
    name: new URL(url).host,
    state: state === 'failing' || state === 'wrong-chain' ? 'failed' : at === active ? 'active' : 'standby',
    latencyMs: latencyMs ?? null,
    error: lastError ? reasonOf(lastError) : null,
  }))
}

function toPending({ kind, nonce, attempts }: StoredTransaction): ChainState['pending'] {
  const [first] = attempts
  const last = attempts.at(-1)
  if (!first || !last) return []
  return [
    {
      transaction: last.hash,
      nonce,
      purpose: kind,
      sentAt: first.sentMs,
      replaced: attempts.length - 1,
    },
  ]
}
