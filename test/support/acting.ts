// An operator's command on its way through a node: written down, approved, carried out, on a real chain and a real
// database. Every moment between two steps that must survive a crash has a name.
import type { Network } from '@postrider/protocol/network'
import type { LocalAccount } from 'viem'
import { createChainClient } from '../../node/chain/client.ts'
import { createSender } from '../../node/chain/sender.ts'
import { createDbTransactionStore } from '../../node/chain/transaction-store.ts'
import { systemClock } from '../../node/core/clock.ts'
import { openDatabase } from '../../node/core/db/index.ts'
import { silentLogger } from '../../node/core/logger.ts'
import { createMetrics } from '../../node/core/metrics.ts'
import { systemRandom } from '../../node/core/random.ts'
import { type ActionStore, createActionStore } from '../../node/operator/action-store.ts'
import { createChainReader } from '../../node/operator/chain-reader.ts'
import { type ActionRecord, createActionRunner } from '../../node/operator/index.ts'
import { addPlan } from '../../node/operator/stake-plans.ts'
import { type Reach, watched, watchedStore } from './settling.ts'

export const ADDED = 7n * 10n ** 18n
const MAX_FEE = 10n ** 12n
/** The operator sends the request again after the crash, as its tool does when the answer was lost. */
const REQUEST = 'add to the stake'

/** Opens a node that takes up what was begun. `reach` is called at every named moment. */
export async function openActor(setting: {
  file: string
  network: Network
  account: LocalAccount
  reach?: Reach
}) {
  const { network, account, reach = () => undefined } = setting
  const database = await openDatabase(setting.file)
  const base = { clock: systemClock, random: systemRandom, logger: silentLogger, metrics: createMetrics() }
  const client = createChainClient(base, { network })
  const transactions = watchedStore(createDbTransactionStore(database.db, base.clock.nowMs), reach)
  const sender = createSender(
    { ...base, client: watched(client, reach), store: transactions },
    { account, confirmations: 0, pollMs: 20, maxFeePerGas: MAX_FEE },
  )
  const store = watchedActions(createActionStore(database.db), reach)
  const runner = createActionRunner({ ...base, store, sender, transactions })
  const context = { chain: createChainReader(client, MAX_FEE), account: account.address }
  await sender.start()
  await runner.start()
  return {
    /** What `POST /v1/stake/add` does; resolves with the end of the action. */
    async addStake(): Promise<ActionRecord> {
      const known = await runner.find(REQUEST)
      const plan = known ?? (await addPlan(context, { all: false, amount: ADDED }))
      const ended = Promise.withResolvers<ActionRecord>()
      const look = async (id: string) => {
        const record = await runner.get(id)
        if (record && record.state !== 'accepted') ended.resolve(record)
      }
      runner.subscribe(look)
      await look((await runner.begin(REQUEST, 'stake.add', plan)).id)
      return ended.promise
    },
    actions: () => runner.page({ limit: 10 }),
    stake: async () => (await context.chain.node(account.address))?.stake,
    allowance: () => context.chain.allowance(account.address, network.contracts.nodeRegistry),
    async stop() {
      await runner.stop()
      await sender.stop()
      client.stop()
      await database.close()
    },
  }
}

function watchedActions(store: ActionStore, reach: Reach): ActionStore {
  return {
    ...store,
    async create(record) {
      await reach('action asked for')
      await store.create(record)
      await reach('action written down')
    },
    async end(id, end) {
      await reach('action over')
      await store.end(id, end)
      await reach('action end written down')
    },
  }
}
