// Walks all moments of the way of money: at each a node dies by SIGKILL, is started again, and client, node and
// contract are compared to the last unit.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { paymentChannelsAbi } from '@postrider/contracts'
import type { LocalAccount } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { expect } from 'vitest'
import { readChannels } from '../../node/chain/channel-reader.ts'
import { createChainClient } from '../../node/chain/client.ts'
import type { DevChain } from '../../node/chain/testing/devchain.ts'
import { callAs } from '../../node/chain/testing/harness.ts'
import { systemClock } from '../../node/core/clock.ts'
import { silentLogger } from '../../node/core/logger.ts'
import { createTempDir } from '../../node/core/testing/temp-dir.ts'
import { recordPaid } from '../../node/payments/account.ts'
import { createPayer } from '../../node/payments/testing/kit.ts'
import { openSettler, PRICE, type Said, TICKS, VOUCHER } from './settling.ts'

const CHILD = join(import.meta.dirname, 'settling-node.ts')

/** Half of a child's life is compiling; the first one that lives to its end leaves the result here for the others. */
const COMPILED = join(import.meta.dirname, '..', '..', '.postrider', 'compile-cache')
const DEPOSIT = 10n ** 18n

/** All that the client ever promises in `playMoney`. */
const PROMISED = VOUCHER + 3n * TICKS.value

/** A channel, and a node that dies at one moment of its life. */
async function runAndDie(dev: DevChain, payerAccount: LocalAccount, at: number) {
  const dir = await createTempDir()
  const key = generatePrivateKey()
  const account = privateKeyToAccount(key)
  await dev.fund(account.address, 10n ** 19n)
  const { paymentChannels: contract, token } = dev.network.contracts
  const domain = { chainId: dev.network.chainId, contract, token }
  const name = `payer ${account.address}`
  const payer = createPayer(name, { domain, payee: account.address, payer: payerAccount.address })
  const { signer, salt } = payer.descriptor
  await callAs(dev, payerAccount, 'paymentChannels', 'open', [account.address, signer, salt, DEPOSIT])
  const networkFile = dir.file('network.json')
  writeFileSync(networkFile, JSON.stringify(dev.network))
  const file = dir.file('node.db')
  const args = [CHILD, networkFile, file, key, name, payerAccount.address, String(at)]
  const env = { ...process.env, NODE_COMPILE_CACHE: COMPILED }
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'exit') as Promise<[number | null, string | null]>
  const said: Said[] = []
  for await (const line of createInterface({ input: child.stdout })) said.push(JSON.parse(line) as Said)
  const [code, signal] = await ended
  return { dir, file, account, payer, said, code, signal }
}

/** The names of all moments, in their order. */
export async function namesOfMoments(dev: DevChain, payerAccount: LocalAccount): Promise<string[]> {
  const { said, code, dir } = await runAndDie(dev, payerAccount, 0)
  await dir.remove()
  expect(code).toBe(0)
  return said.flatMap((line) => ('point' in line ? [line.point] : []))
}

/** Kills a node at its n-th moment, starts it again, lets client and node go on, and compares all three. */
export async function dieAt(dev: DevChain, payerAccount: LocalAccount, at: number): Promise<void> {
  const { dir, file, account, payer, said, signal } = await runAndDie(dev, payerAccount, at)
  expect(signal).toBe('SIGKILL')
  const settler = await openSettler({ file, network: dev.network, account, payer })
  const id = payer.channelId

  // Nothing that was said is lost.
  const told = (field: 'paid' | 'spent') =>
    said.reduce(
      (most, line) => (field in line ? BigInt((line as Record<string, string>)[field] ?? 0) : most),
      0n,
    )
  const before = await settler.account()
  expect(recordPaid(before)).toBeGreaterThanOrEqual(told('paid'))
  expect(recordPaid(before)).toBeLessThanOrEqual(PROMISED)
  expect(before.spent).toBeGreaterThanOrEqual(told('spent'))
  const charged = new Set((await settler.ledger.charges(id, 100)).map(({ requestId }) => requestId))
  for (const line of said) if ('charged' in line) expect(charged).toContain(line.charged)

  // The client sends again whatever it promised; requests that were answered are not charged twice.
  const { book, daemon } = settler
  await book
    .apply(id, () => ({ type: 'voucher', voucher: payer.voucher(VOUCHER, TICKS) }))
    .catch(() => undefined)
  await book.apply(id, () => ({ type: 'tick', tick: payer.tick(TICKS.chain, 3) }))
  for (let request = 1; request <= 3; request++) {
    const event = {
      type: 'charge',
      requestId: `request ${request}`,
      price: PRICE,
      epoch: 1n,
      service: 'query',
    } as const
    await book.apply(id, () => event)
  }

  // What was on its way comes to its end, the rest is claimed, and nothing twice.
  const client = createChainClient({ clock: systemClock, logger: silentLogger }, { network: dev.network })
  const settled = async () => (await readChannels(client, [id])).channels[0]?.settled ?? 0n
  for (let tries = 0; (await settled()) < PROMISED && tries < 400; tries++) {
    await daemon.redeem({ force: true }).catch(() => undefined)
    await new Promise((wake) => setTimeout(wake, 25))
    await book.refresh(id)
  }
  for (
    let tries = 0;
    openRedemptions(await settler.ledger.redemptions({ limit: 10 })) > 0 && tries < 400;
    tries++
  ) {
    await new Promise((wake) => setTimeout(wake, 25))
  }
  const account3 = await settler.account()
  expect({ paid: recordPaid(account3), spent: account3.spent, settled: account3.settled }).toEqual({
    paid: PROMISED,
    spent: 3n * PRICE,
    settled: PROMISED,
  })
  const events = await dev.client.getContractEvents({
    address: dev.network.contracts.paymentChannels,
    abi: paymentChannelsAbi,
    eventName: 'Settled',
    args: { channelId: id },
    fromBlock: 0n,
    strict: true,
  })
  expect(events.reduce((sum, { args }) => sum + args.amount, 0n)).toBe(PROMISED)
  const redeemed = (await settler.ledger.redemptions({ limit: 10 }))
    .filter(({ state }) => state === 'done')
    .flatMap(({ items }) => items)
  expect(redeemed.reduce((sum, { amount }) => sum + amount, 0n)).toBe(PROMISED)
  expect(daemon.figures()).toMatchObject({ earned: PROMISED, redeemed: PROMISED, pending: 0n, lost: 0n })
  await settler.stop()
  client.stop()
  await dir.remove()
}

const openRedemptions = (redemptions: readonly { state: string }[]) =>
  redemptions.filter(({ state }) => state === 'approved' || state === 'proposed').length
