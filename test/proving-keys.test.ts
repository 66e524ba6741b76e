// Keys by path and hash: who refuses which, and that a network runs on others than the repository's.
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { loadArtifacts } from '@postrider/circuits'
import { createVerifier } from '@postrider/circuits/engine'
import { parseNetwork } from '@postrider/protocol/network'
import { identityFromSecret, verifyBreach } from '@postrider/protocol/rln'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { memberInputs } from '../circuits/testing/member.ts'
import { createWorkerProver } from '../client/node/prover.ts'
import { runJson } from '../node/cli/testing/in-process.ts'
import { runPostrider } from '../node/cli/testing/process.ts'
import { loadConfig } from '../node/core/config/index.ts'
import { silentLogger } from '../node/core/logger.ts'
import { createMetrics } from '../node/core/metrics.ts'
import { createTempDir, type TempDir } from '../node/core/testing/temp-dir.ts'
import { startNode } from '../node/main.ts'
import { createProofVerifier } from '../node/zk/index.ts'
import { makeBreach } from './support/breach.ts'
import { adopt, contribute, declare, type KeyFolder } from './support/other-keys.ts'

const PUBLIC_CHAIN_ID = 10
const PASSWORD = 'correct horse battery'
const address = (digit: string) => `0x${digit.repeat(40)}`

let dir: TempDir
let dataDir: string
let printed: KeyFolder
let other: KeyFolder

beforeAll(async () => {
  dir = await createTempDir()
  await contribute(dir.file('keys'))
  const { status, stdout, stderr } = adopt(dir.file('keys'))
  expect([status, stderr]).toEqual([0, ''])
  printed = JSON.parse(stdout).zk
  dataDir = await initNode(PUBLIC_CHAIN_ID)
})
afterAll(() => dir.remove())

/** A data folder of a node on a chain that nobody answers for. */
async function initNode(chainId: number): Promise<string> {
  const network = {
    ...{
      name: 'somewhere',
      chainId,
      rpcUrls: ['http://127.0.0.1:1'],
      deployBlock: 1,
      networkId: 'somewhere',
    },
    ...{ clusterId: 66, shardCount: 1, epochSeconds: 600, bootstrap: [] },
    contracts: {
      ...{ token: address('1'), nodeRegistry: address('2') },
      ...{ paymentChannels: address('3'), rlnMembership: address('4') },
    },
  }
  const [file, password, folder] = [dir.file('net.json'), dir.file('password'), dir.file(`node-${chainId}`)]
  await writeFile(file, JSON.stringify(network))
  await writeFile(password, PASSWORD, { mode: 0o600 })
  const options = ['--kdf', 'light', '--api-port', '0', '--password-file', password]
  const { code } = await runJson(['init', '--data-dir', folder, '--network', file, ...options])
  expect(code).toBe(0)
  return folder
}

/** Starts a node in this process with these keys, and stops it. */
async function runNode(zk: { keysDir?: string; manifestSha256?: string; allowDevelopmentKeys?: boolean }) {
  const file = join(dataDir, 'config.json')
  const config = await loadConfig({
    file,
    overrides: { zk, log: { level: 'silent' }, api: { enabled: false } },
  })
  const node = await startNode(config, { password: PASSWORD })
  await node.stop()
}

describe('a folder of keys', () => {
  it('over the development powers of tau stays a development set-up, whatever was added', async () => {
    const { manifest } = await loadArtifacts({ dir: printed.keysDir, manifestSha256: printed.manifestSha256 })
    expect(manifest.setup.kind).toBe('development')
  })

  it('is not made of something else than a key of this circuit', async () => {
    const bad = dir.file('bad')
    await mkdir(bad)
    await copyFile(join(printed.keysDir, 'rln.wasm'), join(bad, 'rln.zkey'))
    expect(adopt(bad)).toMatchObject({ status: 1 })
    await expect(readFile(join(bad, 'manifest.json'))).rejects.toThrow()
  })
})

describe('a node on a chain that is not local', () => {
  it('refuses the keys of the repository, as a process and in doctor', async () => {
    const run = await runPostrider(['run', '--data-dir', dataDir, '--no-input'])
    expect(run.code).not.toBe(0)
    expect(run.stderr).toContain('CIRCUITS_DEVELOPMENT_KEYS')
    const { data } = await runJson(['doctor', '--data-dir', dataDir])
    const check = data.checks.find(({ name }: { name: string }) => name === 'proving keys')
    expect(check).toMatchObject({ state: 'failed', fix: expect.stringContaining('zk.allowDevelopmentKeys') })
  })

  it('takes them when it is told to', async () => {
    await runNode({ allowDevelopmentKeys: true })
  })

  it('takes keys of a ceremony by path and hash', async () => {
    other = await declare(printed.keysDir, 'ceremony')
    await runNode(other)
  })

  it('refuses them when one byte of the manifest or of a key differs', async () => {
    const wrong = { ...other, manifestSha256: printed.manifestSha256 }
    await expect(runNode(wrong)).rejects.toMatchObject({ code: 'CIRCUITS_ARTIFACT_MISMATCH' })
    const key = join(other.keysDir, 'verification_key.json')
    const text = await readFile(key, 'utf8')
    await writeFile(key, text.replace('groth16', 'groth17'))
    await expect(runNode(other)).rejects.toMatchObject({ code: 'CIRCUITS_ARTIFACT_MISMATCH' })
    await writeFile(key, text)
  })
})

describe('proofs', () => {
  it('under other keys verify on nodes with the same keys, and nowhere else', async () => {
    const source = { dir: other.keysDir, manifestSha256: other.manifestSha256 }
    const prover = createWorkerProver(source)
    const { proof, signals } = await prover.prove(memberInputs())
    await prover.close()
    const { verificationKey } = await loadArtifacts(source)
    const verifier = createProofVerifier({ verificationKey, logger: silentLogger, metrics: createMetrics() })
    await verifier.start()
    expect(await verifier.verify(proof, signals)).toBe(true)
    await verifier.stop()
    const ours = createVerifier((await loadArtifacts()).verificationKey)
    expect(await ours.verify(proof, signals)).toBe(false)
    await ours.close()
  })
})

describe('evidence of a breach', () => {
  it('holds offline under the keys of its network, for the command and for the library, and under no others', async () => {
    const identity = identityFromSecret(987_654_321n)
    const [file, network] = [dir.file('evidence'), dir.file('net.json')]
    const source = { dir: other.keysDir, manifestSha256: other.manifestSha256 }
    const parameters = parseNetwork(JSON.parse(await readFile(network, 'utf8')))
    const breach = await makeBreach(parameters, identity, source)
    await writeFile(file, breach)
    const verify = (...options: string[]) =>
      runJson(['slash', 'verify', file, '--network', network, ...options])

    const good = await verify('--keys', other.keysDir)
    expect([good.code, good.data.commitment]).toEqual([0, identity.commitment.toString()])
    expect(good.stdout + good.stderr).not.toContain(identity.secret.toString())
    const bad = await verify()
    expect([bad.code, bad.data.error.code]).toEqual([3, 'RLN_EVIDENCE_INVALID'])

    // What a browser runs too: neither part needs more than the bytes of the key.
    const verifier = createVerifier((await loadArtifacts(source)).verificationKey)
    const found = await verifyBreach(breach, parameters, (proof, signals) =>
      verifier.verify(proof, [...signals]),
    )
    expect(found).toMatchObject({ secret: identity.secret, commitment: identity.commitment })
    await verifier.close()
  })
})
