import { afterEach, expect, it } from 'vitest'
import { systemClock } from './core/clock.ts'
import type { Client, PreparedProof } from './node/index.ts'
import { createFakeClient, type FakeClientOptions } from './testing/fake-client.ts'
import { createFakeEngine, type FakeNetwork, startFakeNetwork, testWallet } from './testing/fake-network.ts'

const topic = '/test/1/chat/bytes'
const EPOCH_START_MS = 1_800_000_000_000
const message = { contentTopic: topic, payload: Uint8Array.of(1) }
let network: FakeNetwork
let client: Client

afterEach(async () => {
  await client.close()
  await network.stop()
})

/** Counts what a client asks its prover for; a proof ahead is ready when `made` has resolved. */
function watchEngine() {
  const fake = createFakeEngine()
  const made: PromiseWithResolvers<AbortSignal | undefined>[] = [Promise.withResolvers()]
  const counts = { prove: 0, complete: 0 }
  const engine = {
    ...fake,
    prove: (...args: Parameters<typeof fake.prove>) => {
      counts.prove++
      return fake.prove(...args)
    },
    async proveAhead(...args: Parameters<typeof fake.proveAhead>): Promise<PreparedProof> {
      const proof = await fake.proveAhead(...args)
      // After the caller has it.
      setImmediate(() => made.at(-1)?.resolve(args[1]?.signal))
      return {
        ...proof,
        complete: (x) => {
          counts.complete++
          return proof.complete(x)
        },
      }
    },
  }
  return { engine, counts, made }
}

async function startMember(options: FakeClientOptions): Promise<void> {
  network = await startFakeNetwork(1)
  network.chain.mint(testWallet(1).account.address, 10n ** 9n)
  const budget = { deposit: 1_000n, maxDeposit: 5_000n, daily: 10_000n }
  // Begins with an epoch, so that none ends within the test.
  const started = Date.now()
  const clock = { ...systemClock, nowMs: () => EPOCH_START_MS + Date.now() - started }
  client = createFakeClient(network, { wallet: 1, budget, clock, ...options })
  await client.start()
  await client.membership.register({ limit: 5 })
}

it('makes the next proof while nothing is sent, and takes its id when it is sent', async () => {
  const { engine, counts, made } = watchEngine()
  await startMember({ engine, rln: { proveAhead: true } })
  expect(await client.estimate(message)).toMatchObject({ rlnRemaining: 5 })
  await made[0]?.promise
  expect(await client.budget(topic)).toMatchObject({ used: 0 })
  made.push(Promise.withResolvers())
  expect(await client.publish(message).receipt).toMatchObject({ rlnRemaining: 4 })
  expect(counts).toEqual({ prove: 0, complete: 1 })
  // And the one after it.
  await made[1]?.promise
  expect(await client.publish(message).receipt).toMatchObject({ rlnRemaining: 3 })
  expect(counts).toEqual({ prove: 0, complete: 2 })
})

it('makes none unless it is asked to', async () => {
  const { engine, counts } = watchEngine()
  await startMember({ engine })
  await client.estimate(message)
  await client.publish(message).receipt
  expect(counts).toEqual({ prove: 1, complete: 0 })
})
