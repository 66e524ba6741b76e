// Creates the parts of a node and plugs them into each other. Nothing runs yet: see main.ts.
import type { Artifacts } from '@postrider/circuits'
import { idRange } from '@postrider/protocol/rln'
import { createChain } from './chain/index.ts'
import { createRedeemer } from './chain/redeemer.ts'
import { createSlashChain } from './chain/slash-chain.ts'
import { createSlasher } from './chain/slasher.ts'
import type { Clock } from './core/clock.ts'
import { type Config, configPaths } from './core/config/index.ts'
import type { Database } from './core/db/index.ts'
import type { Logger } from './core/logger.ts'
import type { Metrics } from './core/metrics.ts'
import { createHost } from './core/p2p.ts'
import type { Random } from './core/random.ts'
import type { NodeKeys } from './keys.ts'
import {
  createFilterServer,
  createLightpushServer,
  createMembershipServer,
  createMetadataServer,
  createNodeProver,
  openMessageIds,
} from './light/index.ts'
import { createActionRunner, createActionStore } from './operator/index.ts'
import { createPayments, createPrismaLedger } from './payments/index.ts'
import { createEvidenceStore } from './relay/evidence.ts'
import { createBreachSpool, createNullifierJournal, createRelay } from './relay/index.ts'
import { createStore, openSqliteArchive } from './store/index.ts'
import { createProofVerifier, createProverPool } from './zk/index.ts'

/** What every part may use. */
export type Base = { clock: Clock; random: Random; logger: Logger; metrics: Metrics }

export type Parts = Awaited<ReturnType<typeof createParts>>

/** Creates every part that the configuration asks for. Parts of services that are off are undefined. */
export async function createParts(
  base: Base,
  config: Config,
  keys: NodeKeys,
  { database, artifacts }: { database: Database; artifacts: Artifacts },
) {
  const { clock } = base
  const { network } = keys
  const { db } = database
  const host = await createHost(base, {
    privateKey: keys.identity,
    network,
    listen: config.listen,
    announce: config.announce,
    proxies: config.proxies,
  })
  const chain = createChain(
    { ...base, db },
    {
      ...config.chain,
      network,
      rpcUrls: config.rpcUrls,
      account: keys.account,
      membersFile: configPaths(config).membersFile,
    },
  )
  const evidence = createEvidenceStore({ db, clock })
  const slasher = createSlasher({
    ...base,
    chain: createSlashChain(chain),
    follower: chain.follower,
    cases: evidence,
  })
  const verifier = createProofVerifier({
    ...base,
    verificationKey: artifacts.verificationKey,
    workers: config.zk.workers,
  })
  const payments = createPaymentsPart(base, config, keys, { host, chain, database })
  const actions = createActionRunner({
    ...base,
    store: createActionStore(db),
    sender: chain.sender,
    transactions: chain.transactions,
  })
  const { gate } = payments
  const store = config.services.store ? createStorePart(base, config, { host, gate }) : undefined
  const filter = config.services.filter ? createFilterServer({ ...base, host, gate }, { network }) : undefined
  const relay = createRelay(
    {
      ...base,
      host,
      verifier,
      roots: chain.membership,
      sinks: [store, filter].filter((sink) => sink !== undefined),
      evidence,
      breaches: slasher,
      disk: {
        journal: createNullifierJournal(base, configPaths(config).relayDir),
        spool: createBreachSpool(base, configPaths(config).relayDir),
      },
      ...(store && { archive: store }),
    },
    { network },
  )
  const own = await createOwnProver(base, config, keys, { chain, database, artifacts })
  const lightpush = config.services.lightpush
    ? createLightpushServer(
        { ...base, host, relay, gate, ...(own ? { prover: own.prover } : {}) },
        { network },
      )
    : undefined
  const metadata = createMetadataServer({ ...base, host }, { network })
  const members = createMembershipServer({ ...base, host, changes: chain.membership.changes })
  return {
    host,
    actions,
    chain,
    evidence,
    slasher,
    verifier,
    payments,
    store,
    filter,
    relay,
    own,
    lightpush,
    metadata,
    members,
  }
}

type Host = Awaited<ReturnType<typeof createHost>>
type Chain = ReturnType<typeof createChain>

function createPaymentsPart(
  base: Base,
  config: Config,
  { network, account }: NodeKeys,
  { host, chain, database }: { host: Host; chain: Chain; database: Database },
) {
  const { paymentChannels, token } = network.contracts
  const { mode, gasFactor, maxBatch, minBatchValue, intervalSeconds, tokenPerNativeMilli, claimsFile } =
    config.redeem
  return createPayments(
    {
      ...base,
      libp2p: host.libp2p,
      ledger: createPrismaLedger(database),
      escrow: chain.escrow,
      redeemer: createRedeemer(chain, { tokenPerNativeMilli }),
    },
    {
      domain: { chainId: network.chainId, contract: paymentChannels, token },
      payee: account.address,
      prices: config.prices,
      unpaidLimit: config.unpaidLimit,
      freeRequests: config.freeRequestsPerEpoch,
      freeEpochSeconds: network.epochSeconds,
      ...(claimsFile === undefined ? {} : { claimsFile }),
      redemption: {
        mode,
        gasMultiple: BigInt(gasFactor),
        intervalMs: intervalSeconds * 1000,
        maxBatchClaims: maxBatch,
        minBatchValue,
      },
    },
  )
}

type Gate = ReturnType<typeof createPayments>['gate']

function createStorePart(base: Base, config: Config, { host, gate }: { host: Host; gate: Gate }) {
  const { retentionSeconds, maxBytes } = config.store
  const archive = openSqliteArchive(configPaths(config).archiveFile)
  return createStore(
    { ...base, libp2p: host.libp2p, archive, payments: gate },
    { retention: { seconds: retentionSeconds, bytes: maxBytes } },
  )
}

/** The prover of the node's own membership; undefined without a membership. */
async function createOwnProver(
  base: Base,
  config: Config,
  { network, membership }: NodeKeys,
  parts: { chain: Chain; database: Database; artifacts: Artifacts },
) {
  if (membership === undefined) return undefined
  const { identity, limit } = membership
  const { firstMessageId, messageIdCount } = config.rln
  const range = idRange(limit, firstMessageId, messageIdCount)
  const ids = await openMessageIds(
    { db: parts.database.db, clock: base.clock },
    { commitment: identity.commitment, range, epochSeconds: network.epochSeconds },
  )
  const pool = createProverPool({ ...base, artifacts: parts.artifacts })
  const prover = createNodeProver(
    { prover: pool, membership: parts.chain.membership, ids },
    { identity, network },
  )
  return { prover, pool, ids, range, commitment: identity.commitment, limit }
}
