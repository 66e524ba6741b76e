import { build } from 'esbuild'
import { describe, expect, it } from 'vitest'

describe('engine in a browser', () => {
  it('bundles without Node modules and without any package of others', async () => {
    const { outputFiles, metafile } = await build({
      entryPoints: [`${import.meta.dirname}/index.ts`],
      ...{ bundle: true, platform: 'browser', format: 'esm', write: false, metafile: true, minify: true },
    })
    const inputs = Object.keys(metafile.inputs)
    expect(inputs.filter((path) => path.includes('node_modules'))).toEqual([])
    // Small enough to be loaded with a page; the keys are what is large.
    expect(outputFiles[0]?.contents.byteLength).toBeLessThan(100_000)
  })
})
