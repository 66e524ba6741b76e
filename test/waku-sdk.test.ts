import { loadArtifacts } from '@postrider/circuits'
import { createMembershipTree, identityFromSecret, idRange, rateCommitment } from '@postrider/protocol/rln'
import { createLightNode, type IDecodedMessage, type LightNode, Protocols } from '@waku/sdk'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { systemClock } from '../node/core/clock.ts'
import { openDatabase } from '../node/core/db/index.ts'
import { silentLogger } from '../node/core/logger.ts'
import { createMetrics } from '../node/core/metrics.ts'
import { createIdentityKey } from '../node/core/p2p/identity.ts'
import { wsAddress } from '../node/core/p2p/testing/hosts.ts'
import { createHost } from '../node/core/p2p.ts'
import { systemRandom } from '../node/core/random.ts'
import { createTempDir } from '../node/core/testing/temp-dir.ts'
import {
  createFilterServer,
  createLightpushServer,
  createMetadataServer,
  createNodeProver,
  openMessageIds,
} from '../node/light/index.ts'
import { createEvidenceStore } from '../node/relay/evidence.ts'
import { createRelay } from '../node/relay/index.ts'
import { createStore, openSqliteArchive } from '../node/store/index.ts'
import { createProofVerifier, createProverPool } from '../node/zk/index.ts'

const network = { networkId: 'waku-sdk-test', clusterId: 66, shardCount: 8, epochSeconds: 600 }
const LIMIT = 20
const contentTopic = '/postrider-test/1/room/proto'

/** Everything that a stock client can ask of a node, with real proofs and without a chain. */
async function startNode() {
  const dir = await createTempDir()
  const database = await openDatabase(dir.file('node.db'))
  const metrics = createMetrics()
  const common = { clock: systemClock, logger: silentLogger, metrics }
  const artifacts = await loadArtifacts()
  const verifier = createProofVerifier({ ...common, verificationKey: artifacts.verificationKey })
  const pool = createProverPool({ ...common, artifacts })
  const identity = identityFromSecret(123_456_789n)
  const tree = createMembershipTree()
  tree.set(3, rateCommitment(identity.commitment, LIMIT))
  const roots = { isKnown: (root: bigint) => root === tree.root() }
  const gate = { charge: async () => ({ ok: true as const, charged: 0n, free: true }) }
  const host = await createHost(
    { ...common, random: systemRandom },
    { privateKey: await createIdentityKey(), network },
  )
  const { libp2p } = host
  const archive = await openSqliteArchive(dir.file('archive.db'))
  const store = createStore({ ...common, libp2p, archive, payments: gate })
  const filter = createFilterServer({ ...common, host, gate }, { network })
  const evidence = createEvidenceStore({ db: database.db, clock: systemClock })
  const breaches = { report: async () => undefined }
  const relay = createRelay(
    { ...common, host, verifier, roots, sinks: [store, filter], evidence, breaches },
    { network },
  )
  const membership = { path: () => ({ ...tree.path(3), limit: LIMIT, root: tree.root() }) }
  const ids = await openMessageIds(
    { db: database.db, clock: systemClock },
    { commitment: identity.commitment, range: idRange(LIMIT), epochSeconds: network.epochSeconds },
  )
  const prover = createNodeProver({ prover: pool, membership, ids }, { identity, network })
  const lightpush = createLightpushServer({ ...common, host, relay, gate, prover }, { network })
  const metadata = createMetadataServer({ ...common, host }, { network })
  const parts = [verifier, pool, host, relay, store, filter, lightpush, metadata]
  for (const part of parts) await part.start()
  return {
    host,
    relay,
    store,
    async stop() {
      for (const part of parts.toReversed()) await part.stop()
      await database.close()
      await dir.remove()
    },
  }
}

describe('stock @waku/sdk light client', () => {
  let node: Awaited<ReturnType<typeof startNode>>
  let client: LightNode

  beforeAll(async () => {
    node = await startNode()
    client = await createLightNode({
      networkConfig: { clusterId: network.clusterId, numShardsInCluster: network.shardCount },
      bootstrapPeers: [wsAddress(node.host)],
      discovery: { dns: false, peerExchange: false, peerCache: false },
      libp2p: { filterMultiaddrs: false, hideWebSocketInfo: true },
    })
    await client.waitForPeers([Protocols.LightPush, Protocols.Filter, Protocols.Store], 60_000)
  })

  afterAll(async () => {
    await client?.stop()
    await node?.stop()
  })

  it('publishes, receives what it subscribed to, and finds it in the store', async () => {
    const decoder = client.createDecoder({ contentTopic })
    const encoder = client.createEncoder({ contentTopic })
    const received: string[] = []
    const text = ({ payload }: IDecodedMessage) => new TextDecoder().decode(payload)
    expect(await client.filter.subscribe(decoder, (message) => void received.push(text(message)))).toBe(true)

    for (const payload of ['one', 'two']) {
      const sent = await client.lightPush.send(encoder, { payload: new TextEncoder().encode(payload) })
      expect(sent.failures).toEqual([])
      expect(sent.successes.map(String)).toEqual([node.host.peerId])
    }
    await vi.waitFor(() => expect(received).toEqual(['one', 'two']), { timeout: 10_000 })
    expect(node.relay.stats().verdicts).toMatchObject({ accepted: 2, ignored: 0, rejected: 0 })

    await node.store.flush()
    const found: string[] = []
    for await (const page of client.store.queryGenerator([decoder])) {
      for (const message of await Promise.all(page)) if (message) found.push(text(message))
    }
    expect(found.sort()).toEqual(['one', 'two'])
  })

  it('is refused by name what breaks the rules, and goes on', async () => {
    const encoder = client.createEncoder({ contentTopic })
    const large = await client.lightPush.send(
      encoder,
      { payload: new Uint8Array(160 * 1024) },
      { autoRetry: false },
    )
    expect(large.successes).toEqual([])
    const stale = await client.lightPush.send(
      encoder,
      { payload: new Uint8Array([1]), timestamp: new Date(Date.now() - 60_000) },
      { autoRetry: false },
    )
    expect(stale.successes).toEqual([])
    const good = await client.lightPush.send(encoder, { payload: new Uint8Array([2]) }, { autoRetry: false })
    expect(good.successes.map(String)).toEqual([node.host.peerId])
  })
})
