import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Address, zeroAddress } from 'viem'
import { describe, expect, it } from 'vitest'
import { channelsOf, readEvents, units, until } from '../devnet/figures.ts'
import type { Operator } from '../devnet/operators.ts'
import { createPerson } from '../devnet/people.ts'
import { type Child, waitForLine } from '../devnet/processes.ts'
import { useTestNetwork } from './support/network.ts'

const CLI = join('node', 'cli', 'main.ts')
const TOPIC = '/watchtower/1/room/utf8'
const PATIENCE_MS = 60_000
const THAW_SECONDS = 10

const net = useTestNetwork()

/** Lets a node write its claims where a watchtower can read them. */
async function keepClaims(node: Operator): Promise<string> {
  const claims = join(node.directory, 'claims.json')
  const file = join(node.directory, 'config.json')
  const settings = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
  writeFileSync(file, JSON.stringify({ ...settings, redeem: { claimsFile: claims } }))
  await node.stop()
  await node.start()
  return claims
}

/** A watchtower with keys of its own: it is told no password and no key of the node. */
async function startTower(claims: string): Promise<{ child: Child; address: Address }> {
  const { processes, devchain, treasury, directory: base } = net
  const directory = join(base, 'tower')
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const passwordFile = join(directory, 'password')
  writeFileSync(passwordFile, 'watchtower', { mode: 0o600 })
  const env = {
    POSTRIDER_PASSWORD_FILE: passwordFile,
    POSTRIDER_CHAIN_POLL_MS: '200',
    POSTRIDER_CHAIN_CONFIRMATIONS: '1',
  }
  const options = ['--data-dir', directory, '--no-input']
  const init = ['init', '--network', devchain.networkFile, '--kdf', 'light']
  const output = await processes.exec([CLI, ...options, '--json', '--yes', ...init], { env })
  const { address } = JSON.parse(output) as { address: Address }
  await treasury.grant(address, 0n)
  const watch = ['watchtower', '--claims', claims, '--interval', '1', '--grace', '0']
  const child = processes.start('tower', [CLI, ...options, ...watch], { env })
  await waitForLine(child, /watching; 1 channel /, PATIENCE_MS)
  return { child, address }
}

describe('a payer who leaves while the node is down', () => {
  it('pays to the last unit: the watchtower hands in the newest voucher and ticks', async () => {
    const node = net.operators[0] as Operator
    const claims = await keepClaims(node)
    const alice = await createPerson(net, 'alice')
    const text = (word: string) => ({ contentTopic: TOPIC, payload: new TextEncoder().encode(word) })
    for (const word of ['one', 'two', 'three']) await alice.client.publish(text(word)).receipt
    const paid = () => alice.client.channels.list()[0]?.paid ?? 0n
    await until('the node has what the client paid', PATIENCE_MS, async () => {
      const [channel] = await channelsOf(node)
      return channel !== undefined && units(channel.paid) === paid()
    })
    const [channel] = await channelsOf(node)
    expect(channel?.ticks).toBeGreaterThan(0)
    const newest = () => JSON.parse(readFileSync(claims, 'utf8')) as { claims: Record<string, string>[] }
    const total = () => {
      const claim = newest().claims[0]
      return BigInt(claim?.cumulative ?? 0) + BigInt(claim?.tickCount ?? 0) * BigInt(claim?.tickValue ?? 0)
    }
    await until('the newest claim is in the file', PATIENCE_MS, async () => total() === paid())

    await node.kill()
    const tower = await startTower(claims)
    const owed = paid()
    const before = await net.treasury.tokensOf(node.account)
    await alice.client.channels.requestClose(node.account)
    const settled = async () => (await readEvents(net.devchain.network, net.treasury)).settled
    await until('the watchtower settles', PATIENCE_MS, async () => (await settled()).length > 0)

    const [event] = await settled()
    expect(event?.args).toMatchObject({ channelId: channel?.id, amount: owed })
    const transaction = await net.treasury.chain.getTransaction({ hash: event?.transactionHash ?? '0x' })
    expect(transaction.from).toBe(tower.address.toLowerCase())
    expect(await net.treasury.tokensOf(node.account)).toBe(before + owed - (event?.args.burnt ?? 0n))
    expect(await net.treasury.tokensOf(tower.address)).toBe(0n)

    await net.treasury.passTime(THAW_SECONDS + 1)
    const closed = await alice.client.channels.withdraw((channel?.id ?? zeroAddress) as Address)
    expect(closed).toMatchObject({ status: 'closed', settled: owed })
    await net.processes.stop(tower.child)
    expect(await settled()).toHaveLength(1)
    await alice.client.close()

    // The node comes back and finds nothing lost.
    await node.start()
    await until('the node sees the end of the channel', PATIENCE_MS, async () => {
      const [found] = await channelsOf(node)
      return found?.state === 'closed' && units(found.settled) === owed
    })
  })
})
