import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createPublicClient, createTestClient, http, parseEther } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { paymentChannelsAbi } from '../index.ts'
import { type DeployedNetwork, deploy } from '../scripts/deploy.ts'
import { type LocalNode, startNode, temporaryFolder } from './support/local-chain.ts'

const SCRIPT = join(import.meta.dirname, '..', 'scripts', 'deploy.ts')

let node: LocalNode
let folder: Awaited<ReturnType<typeof temporaryFolder>>
const paths = () => ({
  deploymentDir: join(folder.path, 'deployment'),
  out: join(folder.path, 'network.json'),
})
const blockNumber = () => createPublicClient({ transport: http(node.rpcUrl), cacheTime: 0 }).getBlockNumber()

describe('deployment', () => {
  beforeEach(async () => {
    node = await startNode()
    folder = await temporaryFolder()
  })
  afterEach(async () => {
    await node.stop()
    await folder.remove()
  })

  test('a second run sends nothing and keeps what others added to the network file', async () => {
    const first = await deploy({ rpcUrl: node.rpcUrl, ...paths() })
    const height = await blockNumber()
    const bootstrap = ['/ip4/127.0.0.1/tcp/1/ws']
    await writeFile(paths().out, JSON.stringify({ ...first, bootstrap }))
    const second = await deploy({ rpcUrl: node.rpcUrl, ...paths() })
    expect(second).toEqual({ ...first, bootstrap })
    expect(await blockNumber()).toBe(height)
    expect(JSON.parse(await readFile(paths().out, 'utf8'))).toEqual(second)
  })

  test('a chain that was started anew gets its own deployment', async () => {
    const first = await deploy({ rpcUrl: node.rpcUrl, ...paths() })
    await node.stop()
    node = await startNode()
    const second = await deploy({ rpcUrl: node.rpcUrl, ...paths() })
    const client = createPublicClient({ transport: http(node.rpcUrl) })
    for (const address of Object.values(second.contracts)) {
      expect(await client.getCode({ address })).toBeDefined()
    }
    expect(second.deployBlock).toBe(first.deployBlock)
  })

  test('with a key of its own and on a token that exists', async () => {
    const key = generatePrivateKey()
    const test = createTestClient({ mode: 'hardhat', transport: http(node.rpcUrl) })
    await test.setBalance({ address: privateKeyToAccount(key).address, value: parseEther('10') })
    const existing = await deploy({ rpcUrl: node.rpcUrl, deploymentDir: join(folder.path, 'other') })
    const { token } = existing.contracts
    const network = await deploy({ rpcUrl: node.rpcUrl, ...paths(), token, privateKey: key })
    expect(network.contracts.token).toBe(token)
    expect(network.contracts.paymentChannels).not.toBe(existing.contracts.paymentChannels)
    const client = createPublicClient({ transport: http(node.rpcUrl) })
    const [usedToken] = await client.readContract({
      address: network.contracts.paymentChannels,
      abi: paymentChannelsAbi,
      functionName: 'parameters',
    })
    expect(usedToken).toBe(token)
    expect(await client.getTransactionCount({ address: privateKeyToAccount(key).address })).toBe(4)
  })

  test('by the command', async () => {
    const { deploymentDir, out } = paths()
    const args = ['--rpc', node.rpcUrl, '--out', out, '--deployment-dir', deploymentDir]
    const options = ['--network-id', 'test', '--epoch-seconds', '20', '--shards', '2', '--cluster', '7']
    const { stdout } = await promisify(execFile)(process.execPath, [SCRIPT, ...args, ...options])
    const network = JSON.parse(stdout) as DeployedNetwork
    expect(network).toMatchObject({
      networkId: 'test',
      epochSeconds: 20,
      shardCount: 2,
      clusterId: 7,
      bootstrap: [],
    })
    expect(JSON.parse(await readFile(out, 'utf8'))).toEqual(network)
  })
})

test('the command refuses what is incomplete or makes no sense', async () => {
  const full = ['--rpc', 'http://127.0.0.1:1', '--out', 'x', '--deployment-dir', 'y']
  for (const args of [full.slice(0, 4), [...full, '--shards', 'many'], [...full, '--parameters', 'other']]) {
    const refused = promisify(execFile)(process.execPath, [SCRIPT, ...args])
    await expect(refused).rejects.toMatchObject({ code: 2 })
  }
})
