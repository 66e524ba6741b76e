import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createSeededRandom } from '../core/testing/seeded-random.ts'
import { findToken, loadOrCreateTokens, readTokenSecret, tokenFilePath } from './tokens.ts'

const NOW_MS = 1_700_000_000_000
const random = createSeededRandom('tokens')
let dataDir: string
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'postrider-tokens-'))
})
afterEach(() => rm(dataDir, { recursive: true }))

test('the first start writes a private file, later ones read it', async () => {
  const created = await loadOrCreateTokens(dataDir, random)
  expect(created.map(({ name, scopes }) => [name, scopes])).toEqual([
    ['operator', ['read', 'operate']],
    ['viewer', ['read']],
  ])
  expect((await stat(tokenFilePath(dataDir))).mode & 0o777).toBe(0o600)
  expect(await loadOrCreateTokens(dataDir, random)).toEqual(created)
})

test('a secret finds its token and nothing else does', async () => {
  const tokens = await loadOrCreateTokens(dataDir, random)
  const secret = await readTokenSecret(dataDir, 'operate', NOW_MS)
  expect(findToken(tokens, secret!, NOW_MS)?.name).toBe('operator')
  expect(findToken(tokens, `${secret}x`, NOW_MS)).toBeUndefined()
  expect(findToken(tokens, '', NOW_MS)).toBeUndefined()
  expect(JSON.stringify(tokens)).not.toContain(secret)
})

test('an expired token is as good as none', async () => {
  const expiresAt = new Date(NOW_MS).toISOString()
  const token = 'ptr_expiring-token-of-a-test'
  const content = { version: 1, tokens: [{ name: 'x', scopes: ['operate'], token, expiresAt }] }
  await writeFile(tokenFilePath(dataDir), JSON.stringify(content), { mode: 0o600 })
  const tokens = await loadOrCreateTokens(dataDir, random)
  expect(findToken(tokens, token, NOW_MS - 1)?.name).toBe('x')
  expect(findToken(tokens, token, NOW_MS)).toBeUndefined()
  expect(await readTokenSecret(dataDir, 'operate', NOW_MS)).toBeUndefined()
})

test('a file that others could read is closed', async () => {
  await loadOrCreateTokens(dataDir, random)
  await chmod(tokenFilePath(dataDir), 0o644)
  await loadOrCreateTokens(dataDir, random)
  expect((await stat(tokenFilePath(dataDir))).mode & 0o777).toBe(0o600)
})

const twin = '{"name":"a","scopes":["read"],"token":"ptr_secret-in-error-text"}'

test.each([
  '',
  `{"version":1,"tokens":[${twin},${twin}]}`,
  '{',
  '{"version":2,"tokens":[]}',
  '{"version":1,"tokens":[{"name":"a","scopes":["root"],"token":"ptr_secret-in-error-text"}]}',
])('a damaged file is refused without quoting it: %s', async (content) => {
  await writeFile(tokenFilePath(dataDir), content)
  const failure = await loadOrCreateTokens(dataDir, random).catch((error: unknown) => error)
  expect(failure).toMatchObject({ code: 'API_TOKEN_FILE_INVALID' })
  expect(String((failure as Error).cause ?? '') + String(failure)).not.toContain('secret-in')
  expect(await readFile(tokenFilePath(dataDir), 'utf8')).toBe(content)
})
