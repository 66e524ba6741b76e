import { afterEach, expect, it } from 'vitest'
import type { Client } from './node/index.ts'
import { createFakeClient, eventOf, type FakeClientOptions } from './testing/fake-client.ts'
import { createFakeEngine, type FakeNetwork, startFakeNetwork } from './testing/fake-network.ts'

const PUBLIC_CHAIN_ID = 10
let network: FakeNetwork | undefined
let client: Client | undefined

afterEach(async () => {
  await client?.close()
  await network?.stop()
})

async function createOn(chainId: number, kind: string, rln: FakeClientOptions['rln'] = {}): Promise<Client> {
  network = await startFakeNetwork(0)
  const engine = { ...createFakeEngine(), setup: async () => ({ kind }) }
  client = createFakeClient({ ...network, network: { ...network.network, chainId } }, { engine, rln })
  return client
}

it('refuses to start with development keys on a chain that is not local', async () => {
  const refused = await createOn(PUBLIC_CHAIN_ID, 'development')
  await expect(refused.start()).rejects.toMatchObject({ code: 'CIRCUITS_DEVELOPMENT_KEYS' })
})

it.each([
  ['on a local chain', 31_337, {}],
  ['where they are allowed', PUBLIC_CHAIN_ID, { allowDevelopmentKeys: true }],
])('starts with them %s, and warns', async (_, chainId, rln) => {
  const warned = await createOn(chainId, 'development', rln)
  const warning = eventOf(warned, 'warning')
  await warned.start()
  expect(await warning).toMatchObject({ code: 'CIRCUITS_DEVELOPMENT_KEYS' })
})

it('starts anywhere with the keys of a ceremony', async () => {
  const quiet = await createOn(PUBLIC_CHAIN_ID, 'ceremony')
  quiet.on('warning', ({ code }) => expect(code).not.toBe('CIRCUITS_DEVELOPMENT_KEYS'))
  await quiet.start()
})
