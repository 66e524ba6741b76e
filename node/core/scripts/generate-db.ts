/**
 * Writes the typed database client into `node/core/db/generated/` (not committed) from `schema.prisma`.
 *
 * The generator asks for the schema engine although it does not use it; naming any program that exists keeps it
 * from downloading one.
 */
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const schema = join(import.meta.dirname, '..', 'db', 'schema.prisma')
const prisma = join(
  dirname(createRequire(import.meta.url).resolve('prisma/package.json')),
  'build',
  'index.js',
)

const { status, stdout, stderr } = spawnSync(process.execPath, [prisma, 'generate', '--schema', schema], {
  encoding: 'utf8',
  env: {
    ...process.env,
    PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
    PRISMA_HIDE_UPDATE_MESSAGE: '1',
    CHECKPOINT_DISABLE: '1',
  },
})
if (status !== 0) process.stderr.write(stdout + stderr)
process.exitCode = status ?? 1
