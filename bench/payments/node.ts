/**
 * A node in a process of its own: real host, payment stream, ledger and archive on disk. Reads one line of JSON with
 * the channel that will pay and says where it listens; every further line asks for the processor time that it used.
 * Ends with its input.
 */
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { ChannelDescriptor } from '@postrider/protocol/payment'
import { createWakuMessage, messageHash } from '@postrider/protocol/wire'
import { systemClock } from '../../node/core/clock.ts'
import { openDatabase } from '../../node/core/db/index.ts'
import { silentLogger } from '../../node/core/logger.ts'
import { createMetrics } from '../../node/core/metrics.ts'
import { createTestHost, tcpAddress } from '../../node/core/p2p/testing/hosts.ts'
import { systemRandom } from '../../node/core/random.ts'
import { createPayments } from '../../node/payments/index.ts'
import { createPrismaLedger } from '../../node/payments/ledger/prisma.ts'
import { createEscrow, createRedeemer } from '../../node/payments/testing/kit.ts'
import { createStore, openSqliteArchive } from '../../node/store/index.ts'
import { processorMs } from '../measure.ts'
import { CONTENT_TOPIC, DEPOSIT, DOMAIN, PAYEE, PRICES, PUBSUB_TOPIC } from './setting.ts'

const lines = createInterface({ input: process.stdin })
const [line] = (await once(lines, 'line')) as [string]
const { channelId, descriptor } = JSON.parse(line) as {
  channelId: `0x${string}`
  descriptor: ChannelDescriptor
}
const dir = await mkdtemp(join(tmpdir(), 'postrider-bench-'))
const database = await openDatabase(join(dir, 'node.db'))
const host = await createTestHost()
const escrow = createEscrow()
escrow.open({ channelId, descriptor }, DEPOSIT)
const base = {
  libp2p: host.libp2p,
  clock: systemClock,
  random: systemRandom,
  logger: silentLogger,
  metrics: createMetrics(),
}
const payments = createPayments(
  { ...base, ledger: createPrismaLedger(database), escrow, redeemer: createRedeemer(escrow) },
  { domain: DOMAIN, payee: PAYEE, prices: PRICES, freeRequests: 0, redemption: { mode: 'manual' } },
)
const store = createStore(
  { ...base, archive: openSqliteArchive(join(dir, 'archive.db')), payments: payments.gate },
  // The limit for one peer is for strangers; here it would measure itself.
  { queries: { queriesPerSecond: 1_000_000, queryBurst: 1_000_000 } },
)
const message = createWakuMessage({
  payload: new Uint8Array(200).fill(1),
  contentTopic: CONTENT_TOPIC,
  timestamp: BigInt(Date.now()) * 1_000_000n,
})
store.accept({
  pubsubTopic: PUBSUB_TOPIC,
  message,
  hash: messageHash(PUBSUB_TOPIC, message),
  receivedAtMs: Date.now(),
})
await store.flush()
await host.start()
await payments.start()
await store.start()
console.log(JSON.stringify({ peerId: host.peerId, address: tcpAddress(host).split('/p2p/')[0] }))

lines.on('line', () => console.log(JSON.stringify({ processorMs: processorMs() })))
lines.on('close', async () => {
  await store.stop()
  await payments.stop()
  await host.stop()
  await database.close()
  await rm(dir, { recursive: true })
  console.log(JSON.stringify({ charged: payments.figures().requests.paid }))
})
