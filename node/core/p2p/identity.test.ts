import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateKeyPair, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadIdentityKey } from './identity.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'identity-'))
})
afterEach(() => rm(folder, { recursive: true }))

describe('identity key', () => {
  it('is created once, readable by its owner only, and read back', async () => {
    const path = join(folder, 'identity.key')
    const created = await loadIdentityKey(path)
    const read = await loadIdentityKey(path)
    expect(read.equals(created)).toBe(true)
    expect(created.type).toBe('Ed25519')
    expect((await stat(path)).mode & 0o777).toBe(0o600)
  })

  it.each([
    ['garbage', async () => new Uint8Array([1, 2, 3])],
    ['nothing', async () => new Uint8Array()],
    ['a key of another type', async () => privateKeyToProtobuf(await generateKeyPair('secp256k1'))],
  ])('refuses %s and does not overwrite it', async (_, content) => {
    const path = join(folder, 'identity.key')
    const bytes = await content()
    await writeFile(path, bytes)
    await expect(loadIdentityKey(path)).rejects.toMatchObject({ code: 'RELAY_IDENTITY_INVALID' })
    expect((await stat(path)).size).toBe(bytes.length)
  })
})
