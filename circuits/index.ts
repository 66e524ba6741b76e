/**
 * Loads the proving key, the verification key and the witness calculator from disk (Node only). What proves and
 * verifies with them is in `@postrider/circuits/engine`, which also runs in a browser.
 *
 * @module
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type Artifacts,
  type Manifest,
  type ReadFile,
  readArtifacts,
  readManifest,
} from '@postrider/circuits/engine'
import { PostriderError } from '@postrider/protocol/errors'

export type { Artifacts, Manifest } from '@postrider/circuits/engine'

/** The keys of this repository. A development set-up: see docs/security/rln.md. */
export const DEFAULT_ARTIFACTS_DIR = join(import.meta.dirname, 'artifacts')

export type ArtifactSource = {
  /** Directory with manifest.json and the files it names; absent: the keys of this repository. */
  dir?: string | undefined
  /** SHA-256 of that manifest, hex: pins every file. Set it whenever the keys matter. */
  manifestSha256?: string | undefined
}

/**
 * Reads the key files and checks each against the manifest before anything uses it.
 *
 * @throws CIRCUITS_ARTIFACT_MISSING, CIRCUITS_ARTIFACT_MISMATCH
 */
export async function loadArtifacts(source: string | ArtifactSource = {}): Promise<Artifacts> {
  const { dir, manifestSha256 } = normal(source)
  return readArtifacts(readFrom(dir), manifestSha256)
}

/** The manifest alone, which says how the keys were made. @throws as `loadArtifacts` */
export async function loadManifest(source: string | ArtifactSource = {}): Promise<Manifest> {
  const { dir, manifestSha256 } = normal(source)
  return readManifest(readFrom(dir), manifestSha256)
}

function normal(source: string | ArtifactSource): ArtifactSource & { dir: string } {
  const { dir = DEFAULT_ARTIFACTS_DIR, manifestSha256 } =
    typeof source === 'string' ? { dir: source } : source
  return { dir, manifestSha256 }
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
