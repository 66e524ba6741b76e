import { isBuiltin } from 'node:module'
import { runInNewContext } from 'node:vm'
import { build, type Plugin } from 'esbuild'
import { describe, expect, it } from 'vitest'
import manifest from './package.json' with { type: 'json' }

const root = import.meta.dirname

const noNodeModules: Plugin = {
  name: 'no-node-modules',
  setup({ onResolve }) {
    onResolve({ filter: /.*/ }, ({ path, importer }) =>
      isBuiltin(path) ? { errors: [{ text: `${importer} imports ${path}` }] } : undefined,
    )
  },
}

async function bundle(contents: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: root, loader: 'ts' },
    bundle: true,
    platform: 'browser',
    target: 'es2024',
    format: 'iife',
    globalName: 'entry',
    write: false,
    logLevel: 'silent',
    plugins: [noNodeModules],
  })
  return outputFiles[0]?.text ?? ''
}

/** What browsers and their workers have beside the language, and we use. */
const webGlobals = () => ({ TextEncoder, TextDecoder, atob })

describe('in a browser', () => {
  it.each(Object.values(manifest.exports))('%s bundles and runs without Node', async (path) => {
    const code = await bundle(`export * from '${path}'`)
    const names = runInNewContext(`${code}; Object.keys(entry)`, webGlobals()) as string[]
    expect(names.length).toBeGreaterThan(0)
  })

  it('hashes, signs and decodes', async () => {
    const code = await bundle(`
      import { addressOf, signVoucher, verifyVoucher } from './payment/index.ts'
      import { poseidon, signalX } from './rln/index.ts'
      import { createWakuMessage, decode, encode, WakuMessageSchema } from './wire/index.ts'
      const message = createWakuMessage({ payload: Uint8Array.of(1), contentTopic: '/a/1/b/c', timestamp: 1n })
      const zeros = '0x' + '00'.repeat(32)
      const domain = { chainId: 1, contract: '0x' + '11'.repeat(20), token: '0x' + '22'.repeat(20) }
      const voucher = { channelId: zeros, cumulative: 1n, tickAnchor: zeros, tickValue: 0n }
      const key = new Uint8Array(32).fill(1)
      export const results = [
        decode(WakuMessageSchema, encode(WakuMessageSchema, message)).contentTopic,
        poseidon([1n, 2n]).toString(),
        signalX('t', message) > 0n,
        verifyVoucher(domain, voucher, signVoucher(domain, voucher, key), addressOf(key)),
      ]
    `)
    expect(runInNewContext(`${code}; entry.results.join(' ')`, webGlobals())).toBe(
      '/a/1/b/c 7853200120776062878684798364095072458815029376092732009249414926327459813530 true true',
    )
  })

  it('would notice a Node import', async () => {
    await expect(bundle(`import 'node:fs'`)).rejects.toThrow('imports node:fs')
    await expect(bundle(`export { Buffer } from 'buffer'`)).rejects.toThrow('imports buffer')
  })
})
