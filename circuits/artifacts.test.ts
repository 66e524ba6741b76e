import { createHash } from 'node:crypto'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DEFAULT_ARTIFACTS_DIR, loadArtifacts } from './index.ts'

let dir: string

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'postrider-artifacts-'))
  await cp(DEFAULT_ARTIFACTS_DIR, dir, { recursive: true })
})
afterEach(() => rm(dir, { recursive: true }))

describe('loadArtifacts', () => {
  it('loads the committed keys and says that they are for development', async () => {
    const artifacts = await loadArtifacts()
    expect(artifacts.verificationKey).toMatchObject({ protocol: 'groth16', curve: 'bn128', nPublic: 5 })
    expect(artifacts.manifest.setup.kind).toBe('development')
    expect(artifacts.manifest.parameters).toMatchObject({ treeDepth: 20, limitBits: 16 })
  })

  it.each(['rln.zkey', 'rln.wasm', 'verification_key.json'])('refuses a changed %s', async (name) => {
    const path = join(dir, name)
    const bytes = await readFile(path)
    bytes[bytes.length - 2]! ^= 1
    await writeFile(path, bytes)
    await expect(loadArtifacts(dir)).rejects.toMatchObject({
      code: 'CIRCUITS_ARTIFACT_MISMATCH',
      data: { file: name },
    })
  })

  it('names a missing file', async () => {
    await rm(join(dir, 'rln.zkey'))
    await expect(loadArtifacts(dir)).rejects.toMatchObject({
      code: 'CIRCUITS_ARTIFACT_MISSING',
      data: { file: 'rln.zkey' },
    })
  })

  it('takes other keys by path and hash of their manifest', async () => {
    const manifest = await readFile(join(dir, 'manifest.json'))
    const manifestSha256 = createHash('sha256').update(manifest).digest('hex')
    await expect(loadArtifacts({ dir, manifestSha256 })).resolves.toBeDefined()
    await writeFile(join(dir, 'manifest.json'), Buffer.concat([manifest, Buffer.from('\n')]))
    await expect(loadArtifacts({ dir, manifestSha256 })).rejects.toMatchObject({
      code: 'CIRCUITS_ARTIFACT_MISMATCH',
      data: { file: 'manifest.json' },
    })
  })

  it.each(['', '{}', '{"files":{}}', 'null'])('refuses the manifest %j', async (text) => {
    await writeFile(join(dir, 'manifest.json'), text)
    await expect(loadArtifacts(dir)).rejects.toMatchObject({ code: 'CIRCUITS_ARTIFACT_MISMATCH' })
  })
})
