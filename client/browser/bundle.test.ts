import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { expect, it } from 'vitest'

// Names that exist in Node only; a bundle that needs one fails in a browser.
const NODE_MODULES = /^(node:|(fs|path|os|net|tls|crypto|worker_threads|child_process|http|https|stream)$)/

// Minified and not compressed. What a page uses of the library is less.
it.each([
  ['index.ts', 'createClient', 1_200_000],
  ['prover-worker.ts', 'postMessage', 120_000],
])(
  'bundles %s for a browser without any Node module, and not larger than it was',
  async (file, name, limit) => {
    const found: string[] = []
    const { outputFiles } = await build({
      entryPoints: [fileURLToPath(new URL(file, import.meta.url))],
      bundle: true,
      write: false,
      minify: true,
      platform: 'browser',
      format: 'esm',
      target: 'es2022',
      logLevel: 'silent',
      plugins: [
        {
          name: 'find-node-modules',
          setup: (context) => {
            context.onResolve({ filter: NODE_MODULES }, ({ path, importer }) => {
              found.push(`${path} from ${importer}`)
              return { path, external: true }
            })
          },
        },
      ],
    })
    expect(found).toEqual([])
    expect(outputFiles[0]?.text).toContain(name)
    expect(outputFiles[0]?.contents.byteLength).toBeLessThan(limit)
  },
)
