/**
 * A client that publishes one message and kills itself by SIGKILL at one point on the way. It notes on stdout, one
 * JSON object a line and written at once, which message ids it put on disk and which it handed to the prover.
 *
 *     node crashing-client.ts <network file> <storage> <key file> <point> <content topic> <text>
 */
import { readFileSync, writeSync } from 'node:fs'
import { createClient, createSqliteStorage, createWallet, createWorkerProver } from '@postrider/client'
import { parseNetwork } from '@postrider/protocol/network'
import { decodeRecord } from '../../client/storage/records.ts'
import type { CrashPoint, Note } from './crashes.ts'

const [networkFile = '', database = '', keyFile = '', point = '', contentTopic = '', text = ''] =
  process.argv.slice(2)

const note = (line: Note) => writeSync(1, `${JSON.stringify(line)}\n`)
const reached = (now: CrashPoint) => {
  if (now === point) process.kill(process.pid, 'SIGKILL')
}

const storage = createSqliteStorage(database)
const watched: typeof storage = {
  ...storage,
  async put(key, value) {
    if (!/^rln\/ids\/[^/]+\/topic/.test(key)) return storage.put(key, value)
    const written = storage.put(key, value)
    reached('writing')
    await written
    const { epoch, used } = decodeRecord<{ epoch: bigint; used: number }>(key, value)
    note({ event: 'allocated', epoch: String(epoch), messageId: used - 1 })
    reached('allocated')
  },
}
const prover = createWorkerProver()
const client = createClient({
  network: parseNetwork(JSON.parse(readFileSync(networkFile, 'utf8'))),
  storage: watched,
  wallet: createWallet({ privateKey: readFileSync(keyFile, 'utf8') }),
  platform: {
    prover: {
      ...prover,
      async prove(inputs, options) {
        note({
          event: 'proving',
          scope: String(inputs.externalNullifier),
          messageId: Number(inputs.messageId),
        })
        reached('proving')
        const result = await prover.prove(inputs, options)
        reached('proved')
        return result
      },
    },
  },
})

await client.start()
if ((await client.membership.state()).status !== 'active') await client.membership.register({ limit: 20 })
const budget = await client.budget(contentTopic)
note({ event: 'started', epoch: String(budget?.epoch), used: budget?.used ?? -1 })
const handle = client.publish({ contentTopic, payload: new TextEncoder().encode(text) })
for await (const { state } of handle) if (state === 'relayed') reached('relayed')
await handle.receipt
note({ event: 'published', text })
const { differences, nodes } = await client.channels.reconcile()
for (const { promised, deposited } of nodes) {
  note({
    event: 'reconciled',
    differences: differences.length,
    promised: String(promised),
    deposited: String(deposited),
  })
}
await client.close()
