/**
 * The composition root of a watchtower: a second process, with a data folder and a gas key of its own, that settles the
 * vouchers of a node which is down while payers leave.
 *
 * @module
 */
import { createChannelReader } from './chain/channel-reader.ts'
import { createChainClient } from './chain/client.ts'
import { createRedeemer } from './chain/redeemer.ts'
import { createSender } from './chain/sender.ts'
import { createDbTransactionStore } from './chain/transaction-store.ts'
import { systemClock } from './core/clock.ts'
import { type Config, configPaths } from './core/config/index.ts'
import { openDatabase } from './core/db/index.ts'
import { ensurePrivateDir } from './core/files.ts'
import { createLifecycle } from './core/lifecycle.ts'
import { lockDataDir } from './core/lock.ts'
import { createLogger } from './core/logger.ts'
import { createMetrics } from './core/metrics.ts'
import { openKeys } from './keys.ts'
import { createRecoverSigner, createWatchtower, readClaims } from './payments/index.ts'

export type WatchtowerStart = {
  /** Unlocks the keystore of the account that pays the gas. */
  password: string
  /** The file that the node writes (`redeem.claimsFile`), or a copy of it. */
  claimsFile: string
  intervalSeconds: number
  graceSeconds: number
  /** Settles open channels too. */
  all: boolean
  signal: AbortSignal
}

/**
 * Runs until the signal aborts.
 *
 * @throws PostriderError `PAYMENT_CLAIMS_FILE_INVALID`, `CHAIN_*`, `KEYS_*`, `CONFIG_*`: it cannot guard anything
 */
export async function runWatchtower(
  config: Config,
  start: WatchtowerStart,
  onReady: (guarded: number) => void,
): Promise<void> {
  const { claimsFile, signal, graceSeconds, all } = start
  const logger = createLogger({ level: config.log.level })
  const base = { clock: systemClock, logger, metrics: createMetrics() }
  await ensurePrivateDir(config.dataDir)
  const { network, account } = await openKeys(config, start.password)
  const { paymentChannels: contract, token } = network.contracts
  const domain = { chainId: network.chainId, contract, token }
  const recover = createRecoverSigner()
  const read = () => readClaims(claimsFile, domain, recover)
  const { payee } = await read()

  const lock = lockDataDir(config.dataDir)
  const database = await openDatabase(configPaths(config).databaseFile)
  const client = createChainClient(base, { network, rpcUrls: config.rpcUrls })
  const { confirmations, pollMs, maxFeePerGas } = config.chain
  const sender = createSender(
    { ...base, client, store: createDbTransactionStore(database.db, base.clock.nowMs) },
    { account, confirmations, pollMs, maxFeePerGas },
  )
  const { tokenPerNativeMilli } = config.redeem
  const tower = createWatchtower(
    {
      ...base,
      claims: async () => {
        const { claims, refused } = await read()
        if (refused > 0) logger.warn({ refused }, 'claims with a wrong signature or tick left out')
        return claims
      },
      channels: createChannelReader({ ...base, client }, { confirmations }),
      redeemer: createRedeemer({ client, sender }, { tokenPerNativeMilli, payee }),
    },
    { intervalMs: start.intervalSeconds * 1000, graceSeconds, all },
  )
  const lifecycle = createLifecycle(base)
  lifecycle.add('data folder', { stop: lock.release })
  lifecycle.add('database', { stop: () => database.close() })
  lifecycle.add('chain client', { stop: () => client.stop() })
  lifecycle.add('transaction sender', sender)
  lifecycle.add('watchtower', tower)
  await lifecycle.start()
  onReady((await read()).claims.length)
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
  await lifecycle.stop()
}
