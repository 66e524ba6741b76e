import { bundledManifest } from '@postrider/circuits/bundled'
import { cachedReader, fetchReader, readManifest } from '@postrider/circuits/engine'
import type { KeySetup } from '@postrider/protocol/rln'
import { createKeyCache } from './key-cache.ts'

/** Keys of one's own, on a server. */
export type KeySource = {
  /** What lies before `manifest.json` and the names in it; relative to the page. */
  url: string
  /** SHA-256 of that manifest, hex: it pins every file. */
  manifestSha256: string
}

/** The source with its URL made absolute: a worker's idea of relative is another one than its page's. */
export function absolute({ url, manifestSha256 }: KeySource): KeySource {
  return { url: new URL(url.endsWith('/') ? url : `${url}/`, location.href).href, manifestSha256 }
}

/** Where a file is, in a source with an absolute URL. */
export const urlIn =
  ({ url }: KeySource) =>
  (name: string): string =>
    new URL(name, url).href

/** How the keys were made. */
export async function readSetup(source: KeySource | undefined): Promise<KeySetup> {
  if (source === undefined) return bundledManifest.setup
  const read = cachedReader(fetchReader(urlIn(source)), createKeyCache())
  return (await readManifest(read, source.manifestSha256)).setup
}
