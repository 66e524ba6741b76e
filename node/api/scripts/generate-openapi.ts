/**
 * Writes node/api/openapi.json from the schemas of the routes; `--check` only compares and fails on a difference.
 * The comparison is of content, because the formatter lays the file out in its own way.
 */
import { execFileSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import { createTestApp } from '../testing/harness.ts'

const file = fileURLToPath(new URL('../openapi.json', import.meta.url))
const formatter = fileURLToPath(new URL('../../../node_modules/.bin/biome', import.meta.url))
const { app } = await createTestApp()
const generated = JSON.stringify(app.swagger(), null, 2)
await app.close()

if (!process.argv.includes('--check')) {
  await writeFile(file, generated)
  execFileSync(formatter, ['format', '--write', file], { stdio: 'ignore' })
  process.stdout.write('node/api/openapi.json written\n')
} else if (!isDeepStrictEqual(JSON.parse(await readFile(file, 'utf8')), JSON.parse(generated))) {
  process.stderr.write(
    'node/api/openapi.json is out of date: run node node/api/scripts/generate-openapi.ts\n',
  )
  process.exitCode = 1
}
