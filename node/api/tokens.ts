import { createHash, timingSafeEqual } from 'node:crypto'
import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { PostriderError } from '@postrider/protocol/errors'
import { z } from 'zod'
import { isReadableByOthers, PRIVATE_FILE_MODE, readFileBounded, writeFileAtomic } from '../core/files.ts'
import type { Random } from '../core/random.ts'
import { MAX_TOKEN_FILE_BYTES, TOKEN_BYTES } from './constants.ts'
import type { ApiToken, Scope } from './types.ts'

const TOKEN_PREFIX = 'ptr_' // lets secret scanners recognise a leaked one

const tokenFile = z.strictObject({
  version: z.literal(1),
  tokens: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        scopes: z.array(z.enum(['read', 'operate'])).min(1),
        token: z.string().min(20),
        expiresAt: z.iso.datetime().optional(),
      }),
    )
    // Idempotency keys and rates are counted by name.
    .refine((tokens) => new Set(tokens.map(({ name }) => name)).size === tokens.length),
})
type StoredToken = z.output<typeof tokenFile>['tokens'][number]

/** Where a node keeps its API tokens. */
export const tokenFilePath = (dataDir: string): string => join(dataDir, 'api-tokens.json')

/**
 * Reads the token file of a data folder, writing one with an `operator` and a `viewer` token at the first start.
 * The file holds the secrets, readable by its owner only; what is returned holds their digests.
 *
 * @throws PostriderError `API_TOKEN_FILE_INVALID`, `CORE_FILE_*`
 */
export async function loadOrCreateTokens(dataDir: string, random: Random): Promise<ApiToken[]> {
  const path = tokenFilePath(dataDir)
  const stored = await readTokenFile(path)
  if (stored) {
    if (await isReadableByOthers(path)) await chmod(path, PRIVATE_FILE_MODE)
    return stored.map(withoutSecret)
  }
  const tokens: StoredToken[] = [
    { name: 'operator', scopes: ['read', 'operate'], token: newSecret(random) },
    { name: 'viewer', scopes: ['read'], token: newSecret(random) },
  ]
  await writeFileAtomic(path, `${JSON.stringify({ version: 1, tokens }, null, 2)}\n`, PRIVATE_FILE_MODE)
  return tokens.map(withoutSecret)
}

/**
 * The secret of a token with the scope, for tools on the same machine; undefined if the file or such a token is
 * missing.
 *
 * @throws PostriderError `API_TOKEN_FILE_INVALID`, `CORE_FILE_READ_FAILED`
 */
export async function readTokenSecret(
  dataDir: string,
  scope: Scope,
  nowMs: number,
): Promise<string | undefined> {
  const stored = await readTokenFile(tokenFilePath(dataDir))
  return stored?.find((entry) => entry.scopes.includes(scope) && !isExpired(withoutSecret(entry), nowMs))
    ?.token
}

/** The token whose secret was shown and that has not expired. Time does not depend on which one matches. */
export function findToken(tokens: readonly ApiToken[], secret: string, nowMs: number): ApiToken | undefined {
  const digest = sha256(secret)
  let found: ApiToken | undefined
  for (const token of tokens) if (timingSafeEqual(token.sha256, digest)) found = token
  return found && !isExpired(found, nowMs) ? found : undefined
}

async function readTokenFile(path: string): Promise<StoredToken[] | undefined> {
  const bytes = await readFileBounded(path, MAX_TOKEN_FILE_BYTES)
  if (!bytes) return undefined
  const parsed = tokenFile.safeParse(parseJson(bytes))
  // The cause is left out: a schema error may quote the secret.
  if (!parsed.success) throw new PostriderError('API_TOKEN_FILE_INVALID', { detail: path, data: { path } })
  return parsed.data.tokens
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return undefined
  }
}

function withoutSecret({ name, scopes, token, expiresAt }: StoredToken): ApiToken {
  return { name, scopes, sha256: sha256(token), expiresAtMs: expiresAt ? Date.parse(expiresAt) : undefined }
}

function isExpired(token: ApiToken, nowMs: number): boolean {
  return token.expiresAtMs !== undefined && token.expiresAtMs <= nowMs
}

const newSecret = (random: Random): string =>
  TOKEN_PREFIX + Buffer.from(random.bytes(TOKEN_BYTES)).toString('base64url')

const sha256 = (text: string): Uint8Array => Uint8Array.from(createHash('sha256').update(text).digest())
