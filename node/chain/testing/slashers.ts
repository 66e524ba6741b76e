import { randomUUID } from 'node:crypto'
import { type Identity, identityFromSecret, type SlashPhase } from '@postrider/protocol/rln'
import type { LocalAccount } from 'viem'
import { onTestFinished } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { silentLogger } from '../../core/logger.ts'
import { systemRandom } from '../../core/random.ts'
import type { TempDir } from '../../core/testing/temp-dir.ts'
import { createSlashChain } from '../slash-chain.ts'
import { createSlasher, type SlashCaseStore, type SlashProgress, type StoredSlashCase } from '../slasher.ts'
import type { DevChain } from './devchain.ts'
import { callAs, startChain } from './harness.ts'

type Stored = StoredSlashCase & SlashProgress

export type TestCases = ReturnType<typeof createCases>

/** What the part that finds breaches does: cases are in the store before they are reported. */
export function createCases() {
  const rows = new Map<bigint, Stored>()
  const history: SlashPhase[] = []
  const store: SlashCaseStore = {
    list: async ({ states }) => [...rows.values()].filter(({ state }) => states.includes(state)),
    async update(commitment, progress) {
      const row = rows.get(commitment)
      if (row) rows.set(commitment, { ...row, ...progress })
      if (history.at(-1) !== progress.state) history.push(progress.state)
    },
  }
  return {
    store,
    history,
    add({ secret, commitment }: Identity) {
      rows.set(commitment, { secret, commitment, state: 'found', attempts: 0 })
    },
    get: (commitment: bigint) => rows.get(commitment),
  }
}

export type SlasherNode = Awaited<ReturnType<typeof startSlasher>>

/** The chain's part of a node with its slasher; stopped when the test ends. */
export async function startSlasher(
  dev: DevChain,
  dir: TempDir,
  cases: SlashCaseStore,
  options: { account: LocalAccount; rpcUrl?: string },
) {
  const { account, rpcUrl = dev.url } = options
  const chain = await startChain(dev, dir.file(`${account.address}.db`), account, { rpcUrls: [rpcUrl] })
  const slashChain = createSlashChain(chain)
  const parts = { random: systemRandom, logger: silentLogger }
  const slasher = createSlasher({ ...parts, chain: slashChain, follower: chain.follower, cases })
  await chain.sync().catch(() => undefined)
  await slasher.start()
  let running = true
  const stop = async () => {
    if (!running) return
    running = false
    await slasher.stop()
    await chain.stop()
  }
  onTestFinished(stop)
  return { chain, slasher, slashChain, stop }
}

/** A member that nobody else knows, paid for by `payer`. */
export async function registerMember(dev: DevChain, payer: LocalAccount, limit = 10): Promise<Identity> {
  const identity = identityFromSecret(BigInt(`0x${randomUUID().replaceAll('-', '')}`))
  await callAs(dev, payer, 'rlnMembership', 'register', [identity.commitment, limit, payer.address])
  return identity
}

export async function waitUntil(condition: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await condition())) await systemClock.sleep(5)
}
