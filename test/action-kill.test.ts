import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type DevChain, startDevChain } from '../node/chain/testing/devchain.ts'
import { callAs, provision } from '../node/chain/testing/harness.ts'
import { createTempDir } from '../node/core/testing/temp-dir.ts'
import { ADDED, openActor } from './support/acting.ts'

const CHILD = join(import.meta.dirname, 'support', 'acting-node.ts')
const STAKE = 1_000n * 10n ** 18n

/** Two transactions: an approval, and what it is for. */
const TRANSACTION = [
  'transaction signed',
  'transaction recorded',
  'transaction leaves',
  'transaction left',
  'transaction mined',
  'transaction end recorded',
]
const MOMENTS = [
  'action asked for',
  'action written down',
  ...TRANSACTION,
  ...TRANSACTION,
  'action over',
  'action end written down',
]

let dev: DevChain
beforeAll(async () => {
  dev = await startDevChain()
})
afterAll(() => dev?.stop())

/** A node with a stake, told to add to it, that dies at one moment of that. */
async function runAndDie(at: number) {
  const dir = await createTempDir()
  const key = generatePrivateKey()
  const account = privateKeyToAccount(key)
  await dev.fund(account.address, 10n ** 19n)
  await provision(dev, account, STAKE + 2n * ADDED)
  const registration = {
    peerKey: account.publicKey.replace(/^0x04(.{64}).*$/, '0x$1'),
    signer: account.address,
    withdrawal: account.address,
    services: 1,
    endpoints: ['/ip4/127.0.0.1/tcp/60000'],
    prices: { publish: 1n, query: 1n, push: 1n },
  }
  await callAs(dev, account, 'nodeRegistry', 'register', [registration, STAKE])
  await callAs(dev, account, 'token', 'approve', [dev.network.contracts.nodeRegistry, 0n])
  const networkFile = dir.file('network.json')
  writeFileSync(networkFile, JSON.stringify(dev.network))
  const file = dir.file('node.db')
  const child = spawn(process.execPath, [CHILD, networkFile, file, key, String(at)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit') as Promise<[number | null, string | null]>
  const said: string[] = []
  for await (const line of createInterface({ input: child.stdout })) said.push(line)
  const [code, signal] = await ended
  return { dir, file, account, said, code, signal }
}

describe('a node killed while it adds to its stake', () => {
  it('passes action and transactions', async () => {
    const { said, code, dir } = await runAndDie(0)
    await dir.remove()
    expect([code, said]).toEqual([0, MOMENTS])
  })

  it.each(MOMENTS.map((name, index) => [index + 1, name] as const))(
    'at moment %i, "%s", adds it once when it is started and asked again',
    async (at) => {
      const { dir, file, account, signal } = await runAndDie(at)
      expect(signal).toBe('SIGKILL')
      const actor = await openActor({ file, network: dev.network, account })
      const { state, id } = await actor.addStake()
      expect(state).toBe('done')
      expect((await actor.actions()).map((action) => action.id)).toEqual([id])
      expect([await actor.stake(), await actor.allowance()]).toEqual([STAKE + ADDED, 0n])
      await actor.stop()
      await dir.remove()
    },
  )
})
