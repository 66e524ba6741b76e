import { readFile, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTempDir, type TempDir } from '../core/testing/temp-dir.ts'
import { runHere, runJson } from './testing/in-process.ts'

type Vectors = {
  network: { networkId: string; clusterId: number; shardCount: number; epochSeconds: number }
  cases: { name: string; bytes: string; result?: { secret: string; commitment: string }; error?: string }[]
}

const vectors: Vectors = JSON.parse(
  await readFile(new URL('../../protocol/vectors/breach.json', import.meta.url), 'utf8'),
)
const address = (digit: string) => `0x${digit.repeat(40)}`

let dir: TempDir
let network: string
beforeAll(async () => {
  dir = await createTempDir()
  network = dir.file('network.json')
  const contracts = {
    token: address('1'),
    nodeRegistry: address('2'),
    paymentChannels: address('3'),
    rlnMembership: address('4'),
  }
  const rest = { name: 'vectors', chainId: 1, rpcUrls: ['http://127.0.0.1:1'], deployBlock: 0, bootstrap: [] }
  await writeFile(network, JSON.stringify({ ...vectors.network, contracts, ...rest }))
})
afterAll(() => dir.remove())

const verify = async (content: string | Uint8Array) => {
  const file = dir.file('evidence')
  await writeFile(file, content)
  return runJson(['slash', 'verify', file, '--network', network])
}
const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex.slice(2), 'hex'))

test.each(vectors.cases)('evidence of the vectors: $name', async ({ bytes, result, error }) => {
  const { code, data, stdout, stderr } = await verify(bytesOf(bytes))
  if (result === undefined) {
    expect([code, data.error.code]).toEqual([3, error])
    return
  }
  expect([code, data.valid, data.commitment]).toEqual([0, true, result.commitment])
  expect(stdout + stderr).not.toContain(result.secret)
})

test('a case as the API gives it is evidence too', async () => {
  const good = vectors.cases.find(({ result }) => result !== undefined)
  const bytes = Buffer.from(good!.bytes.slice(2), 'hex').toString('base64')
  const { code, data } = await verify(
    JSON.stringify({ evidence: { format: 'postrider.v1.RlnBreach', bytes } }),
  )
  expect([code, data.valid]).toEqual([0, true])
  const text = await runHere(['slash', 'verify', dir.file('evidence'), '--network', network])
  expect(text.stdout).toContain('✓ valid')
})

test.each([['{}'], ['{'], [''], ['not protobuf']])('%j is no evidence', async (content) => {
  const { code } = await verify(content)
  expect(code).toBe(3)
})

test('a missing file is a mistake of usage', async () => {
  const { code, data } = await runJson(['slash', 'verify', dir.file('nowhere'), '--network', network])
  expect([code, data.error.code]).toEqual([2, 'CLI_FILE_UNREADABLE'])
})
