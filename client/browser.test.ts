import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { expect, it } from 'vitest'

// Names that exist in Node only; a bundle that needs one fails in a browser.
const NODE_MODULES = /^(node:|(fs|path|os|net|tls|crypto|worker_threads|child_process|http|https|stream)$)/

it('bundles the entry for a browser without any Node module', async () => {
  const found: string[] = []
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('./index.ts', import.meta.url))],
    bundle: true,
    write: false,
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
  expect(outputFiles[0]?.text).toContain('createClient')
})
