import { PostriderError } from '@postrider/protocol/errors'
import { sha256Hex } from './hash.ts'
import type { VerificationKey } from './types.ts'

/** What a file must hash to, in hex, and how long it is if that is known. */
export type FileHash = { sha256: string; bytes?: number }

/** manifest.json beside the key files: what they are and how they were made. */
export type Manifest = {
  parameters: { treeDepth: number; limitBits: number }
  files: Record<string, FileHash & { bytes: number }>
  /** `development` means public randomness: anyone can forge proofs under these keys. */
  setup: { kind: string; warning?: string }
}

export type Artifacts = {
  /** Witness calculator as circom compiles it. */
  wasm: Uint8Array
  /** Proving key in snarkjs' format. */
  zkey: Uint8Array
  verificationKey: VerificationKey
  manifest: Manifest
}

/** Gets a file by its name. What it must be is told for those that want to look in a cache or to limit a transfer. */
export type ReadFile = (name: string, expected?: FileHash) => Promise<Uint8Array>

/**
 * Reads the key files through `read` (disk, fetch, IndexedDB) and hands out only what has the recorded hash. With
 * `manifestSha256` (hex) the manifest itself is pinned, and through it every file.
 *
 * @throws CIRCUITS_ARTIFACT_MISMATCH; whatever `read` throws
 */
export async function readArtifacts(read: ReadFile, manifestSha256?: string): Promise<Artifacts> {
  return readListed(read, await readManifest(read, manifestSha256))
}

/** The files that a manifest lists, when the manifest itself is known. @throws as `readArtifacts` */
export async function readListed(read: ReadFile, manifest: Manifest): Promise<Artifacts> {
  const checked = async (name: string): Promise<Uint8Array> => {
    const expected = manifest.files[name]
    if (expected === undefined) throw mismatch(name, { reason: 'not in the manifest' })
    const bytes = await read(name, expected)
    await expectHash(name, bytes, expected.sha256)
    return bytes
  }
  const reading = [checked('rln.wasm'), checked('rln.zkey'), checked('verification_key.json')] as const
  // One that fails lets the others come in and be kept, so that the next attempt needs only what is missing.
  await Promise.allSettled(reading)
  const [wasm, zkey, key] = await Promise.all(reading)
  return {
    wasm,
    zkey,
    verificationKey: JSON.parse(new TextDecoder().decode(key)) as VerificationKey,
    manifest,
  }
}

/** The manifest alone: what the keys are and how they were made. @throws as `readArtifacts` */
export async function readManifest(read: ReadFile, manifestSha256?: string): Promise<Manifest> {
  const expected = manifestSha256 === undefined ? undefined : { sha256: manifestSha256 }
  const bytes = await read('manifest.json', expected)
  if (manifestSha256 !== undefined) await expectHash('manifest.json', bytes, manifestSha256)
  return parseManifest(bytes)
}

function parseManifest(bytes: Uint8Array): Manifest {
  try {
    const manifest = JSON.parse(new TextDecoder().decode(bytes)) as Manifest
    if (typeof manifest?.files === 'object' && manifest.files !== null) return manifest
  } catch (cause) {
    throw mismatch('manifest.json', { reason: 'not JSON' }, cause)
  }
  throw mismatch('manifest.json', { reason: 'lists no files' })
}

async function expectHash(name: string, bytes: Uint8Array, expected: string): Promise<void> {
  const actual = await sha256Hex(bytes)
  if (actual !== expected.toLowerCase()) throw mismatch(name, { expected, actual })
}

function mismatch(name: string, data: Record<string, unknown>, cause?: unknown): PostriderError {
  return new PostriderError('CIRCUITS_ARTIFACT_MISMATCH', {
    detail: name,
    data: { file: name, ...data },
    cause,
  })
}
