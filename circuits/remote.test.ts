import { createHash } from 'node:crypto'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ArtifactUrl, DEFAULT_ARTIFACTS_DIR, loadArtifacts, loadManifest } from './index.ts'

const ALL = ['manifest.json', 'rln.wasm', 'rln.zkey', 'verification_key.json']
let folder: string
let cacheDir: string
let server: Server
let asked: string[]
let source: ArtifactUrl

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postrider-served-'))
  cacheDir = await mkdtemp(join(tmpdir(), 'postrider-cache-'))
  await cp(DEFAULT_ARTIFACTS_DIR, folder, { recursive: true })
  asked = []
  server = createServer(async (request, response) => {
    const name = (request.url ?? '').replace('/keys/', '')
    asked.push(name)
    const bytes = await readFile(join(folder, name)).catch(() => undefined)
    response.writeHead(bytes ? 200 : 404).end(bytes)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const manifestSha256 = sha256(await readFile(join(folder, 'manifest.json')))
  source = { url: `http://127.0.0.1:${port}/keys`, manifestSha256, cacheDir }
})
afterEach(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  await Promise.all([folder, cacheDir].map((path) => rm(path, { recursive: true })))
})

describe('keys from a server', () => {
  it('are fetched once, with their progress, and then taken from disk', async () => {
    const seen: [number, number][] = []
    const fetched = await loadArtifacts(source, { onBytes: (done, total) => seen.push([done, total]) })
    expect(asked.toSorted()).toEqual(ALL)
    const total = Object.values(fetched.manifest.files).reduce((sum, { bytes }) => sum + bytes, 0)
    expect(seen.at(-1)).toEqual([total, total])
    expect(seen.every(([done], i) => done >= (seen[i - 1]?.[0] ?? 0))).toBe(true)
    asked = []
    expect(sha256((await loadArtifacts(source)).zkey)).toBe(sha256(fetched.zkey))
    expect(await loadManifest(source)).toEqual(fetched.manifest)
    expect(asked).toEqual([])
  })

  it('are fetched anew when the copy on disk is damaged', async () => {
    const { manifest, zkey } = await loadArtifacts(source)
    const entry = join(cacheDir, manifest.files['rln.zkey']!.sha256)
    await writeFile(entry, zkey.with(1000, zkey[1000]! ^ 1))
    asked = []
    expect(sha256((await loadArtifacts(source)).zkey)).toBe(sha256(zkey))
    expect(asked).toEqual(['rln.zkey'])
    expect(sha256(await readFile(entry))).toBe(sha256(zkey))
  })

  it.each([
    ['changed', (bytes: Buffer) => bytes.fill(1, 10, 20)],
    ['cut off', (bytes: Buffer) => bytes.subarray(1)],
    ['too long', (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc(1)])],
  ])('are refused when one is %s, and that one is not kept', async (_, change) => {
    const path = join(folder, 'rln.wasm')
    await writeFile(path, change(await readFile(path)))
    await expect(loadArtifacts(source)).rejects.toMatchObject({
      code: 'CIRCUITS_ARTIFACT_MISMATCH',
      data: { file: 'rln.wasm' },
    })
    const { files } = await loadManifest(source)
    expect(await readdir(cacheDir)).not.toContain(files['rln.wasm']!.sha256)
  })

  it('are refused when the manifest is not the pinned one', async () => {
    const manifestSha256 = '00'.repeat(32)
    await expect(loadArtifacts({ ...source, manifestSha256 })).rejects.toMatchObject({
      code: 'CIRCUITS_ARTIFACT_MISMATCH',
      data: { file: 'manifest.json' },
    })
    expect(asked).toEqual(['manifest.json'])
  })

  it('need no cache that works', async () => {
    await writeFile(join(cacheDir, 'file'), '')
    const { zkey } = await loadArtifacts({ ...source, cacheDir: join(cacheDir, 'file') })
    expect(zkey.byteLength).toBeGreaterThan(0)
  })

  it('may come later: what has come is kept, and a retry fetches what is missing', async () => {
    await rm(join(folder, 'rln.zkey'))
    await expect(loadArtifacts(source)).rejects.toMatchObject({
      code: 'CIRCUITS_ARTIFACT_UNAVAILABLE',
      retryable: true,
      data: { file: 'rln.zkey' },
    })
    await cp(join(DEFAULT_ARTIFACTS_DIR, 'rln.zkey'), join(folder, 'rln.zkey'))
    asked = []
    await expect(loadArtifacts(source)).resolves.toBeDefined()
    expect(asked).toEqual(['rln.zkey'])
  })

  it('stop coming when the caller gives up', async () => {
    const abort = new AbortController()
    const loading = loadArtifacts(source, { signal: abort.signal, onBytes: () => abort.abort() })
    await expect(loading).rejects.toMatchObject({ code: 'CIRCUITS_LOAD_ABORTED' })
  })
})
