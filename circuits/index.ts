/**
 * Loads the proving key, the verification key and the witness calculator from disk or a server (Node only). What proves and
 * verifies with them is in `@postrider/circuits/engine`, which also runs in a browser.
 *
 * @module
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type Artifacts,
  cachedReader,
  type FetchOptions,
  fetchReader,
  type Manifest,
  type ReadFile,
  readArtifacts,
  readManifest,
} from '@postrider/circuits/engine'
import { PostriderError } from '@postrider/protocol/errors'
import { createDiskCache, defaultCacheDir } from './disk-cache.ts'

export type { Artifacts, Manifest } from '@postrider/circuits/engine'

/** The keys of this repository. A development set-up: see docs/security/rln.md. */
export const DEFAULT_ARTIFACTS_DIR = join(import.meta.dirname, 'artifacts')

/** Keys on disk. */
export type ArtifactFolder = {
  /** Directory with manifest.json and the files it names; absent: the keys of this repository. */
  dir?: string | undefined
  /** SHA-256 of that manifest, hex: pins every file. Set it whenever the keys matter. */
  manifestSha256?: string | undefined
}

/** Keys on a server, kept on disk once they are here. */
export type ArtifactUrl = {
  /** What lies before `manifest.json` and the names in it. */
  url: string
  /** SHA-256 of that manifest, hex: a server's word is not enough for what proofs rest on. */
  manifestSha256: string
  /** Folder in which checked files are kept; the system's folder for caches. */
  cacheDir?: string
}

export type ArtifactSource = ArtifactFolder | ArtifactUrl

/** How loading goes on; a folder has nothing to say. */
export type LoadOptions = FetchOptions & { onCheck?: () => void }

/**
 * Reads the key files and checks each against the manifest before anything uses it.
 *
 * @throws CIRCUITS_ARTIFACT_MISSING, CIRCUITS_ARTIFACT_MISMATCH, CIRCUITS_ARTIFACT_UNAVAILABLE, CIRCUITS_LOAD_ABORTED
 */
export async function loadArtifacts(
  source: string | ArtifactSource = {},
  options: LoadOptions = {},
): Promise<Artifacts> {
  const { read, manifestSha256 } = open(source, options)
  return readArtifacts(read, manifestSha256)
}

/** The manifest alone, which says how the keys were made. @throws as `loadArtifacts` */
export async function loadManifest(source: string | ArtifactSource = {}): Promise<Manifest> {
  const { read, manifestSha256 } = open(source, {})
  return readManifest(read, manifestSha256)
}

function open(
  source: string | ArtifactSource,
  options: LoadOptions,
): { read: ReadFile; manifestSha256: string | undefined } {
  if (typeof source === 'string') return { read: readFrom(source), manifestSha256: undefined }
  const { manifestSha256 } = source
  if (!('url' in source)) return { read: readFrom(source.dir ?? DEFAULT_ARTIFACTS_DIR), manifestSha256 }
  const base = source.url.endsWith('/') ? source.url : `${source.url}/`
  const read = fetchReader((name) => new URL(name, base).href, options)
  const cache = createDiskCache(source.cacheDir ?? defaultCacheDir())
  return { read: cachedReader(read, cache, options.onCheck), manifestSha256 }
}

function readFrom(dir: string): ReadFile {
  return async (name) => {
    try {
      return new Uint8Array(await readFile(join(dir, name)))
    } catch (cause) {
      throw new PostriderError('CIRCUITS_ARTIFACT_MISSING', {
        detail: name,
        data: { dir, file: name },
        cause,
      })
    }
  }
}
