// A client that takes a message id and is killed before it can send: run by kill.test.ts as a process of its own.
import { writeSync } from 'node:fs'
import { systemClock } from '../core/clock.ts'
import { createSqliteStorage } from '../node/sqlite-storage.ts'
import { createFakeClient } from './fake-client.ts'
import { createFakeEngine, startFakeNetwork, testWallet } from './fake-network.ts'

const [path = '', wait = ''] = process.argv.slice(2)
/** One epoch for all the lives of the client. */
const NOW_MS = 1_800_000_000_000
const engine = createFakeEngine()
const say = (text: string) => writeSync(1, `${text}\n`)

const network = await startFakeNetwork(1, { prices: { publish: 0n, query: 0n, push: 0n } })
network.chain.mint(testWallet(1).account.address, 10n ** 12n)
const client = createFakeClient(network, {
  wallet: 1,
  storage: createSqliteStorage(path),
  clock: { ...systemClock, nowMs: () => NOW_MS },
  engine: {
    ...engine,
    // The id is taken and on disk; the message is not sent. Here the process is killed, or goes on.
    async prove(inputs) {
      say(`id ${inputs.messageId}`)
      if (wait === 'before-send') await new Promise(() => setInterval(() => undefined, 1_000))
      return engine.prove(inputs)
    },
  },
})
await client.start()
await client.membership.register({ limit: 100 })
await client.publish({ contentTopic: '/test/1/chat/bytes', payload: Uint8Array.of(1) }).receipt
say('sent')
setInterval(() => undefined, 1_000)
