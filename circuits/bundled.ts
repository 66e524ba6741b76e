/**
 * The keys of this package as a bundler sees them: the manifest is part of the code and pins the files, which become
 * assets of the page. A development set-up: see docs/security/rln.md.
 *
 * @module
 */
import type { Manifest } from '@postrider/circuits/engine'
import manifest from './artifacts/manifest.json' with { type: 'json' }

export const bundledManifest: Manifest = manifest

/** Bundlers find assets by these very expressions. */
const URLS: Record<string, URL> = {
  'rln.wasm': new URL('./artifacts/rln.wasm', import.meta.url),
  'rln.zkey': new URL('./artifacts/rln.zkey', import.meta.url),
  'verification_key.json': new URL('./artifacts/verification_key.json', import.meta.url),
}

/** Where a file of the manifest is served. */
export const bundledUrl = (name: string): string => URLS[name]?.href ?? ''
