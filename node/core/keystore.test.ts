import { chmod, stat, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import {
  createKeyFile,
  decryptAccount,
  decryptRlnSecret,
  encryptAccount,
  encryptRlnMembership,
  formatRlnKeystore,
  keystoreAddress,
  parseRlnKeystore,
  readKeyFile,
  readPasswordFile,
} from './keystore.ts'
import { createTempDir } from './testing/temp-dir.ts'

const PRIVATE_KEY = `0x${'4c'.repeat(32)}` as const

// The PBKDF2 test vector of the Web3 Secret Storage definition.
const PUBLISHED = {
  crypto: {
    cipher: 'aes-128-ctr',
    cipherparams: { iv: '6087dab2f9fdbbfaddc31a909735c1e6' },
    ciphertext: '5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46',
    kdf: 'pbkdf2',
    kdfparams: {
      c: 262144,
      dklen: 32,
      prf: 'hmac-sha256',
      salt: 'ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd',
    },
    mac: '517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2',
  },
  id: '3198bc9c-6672-5ab3-d995-4942343ae5b6',
  version: 3,
}

describe('account keystore', () => {
  it('opens with its password and no other', async () => {
    const json = await encryptAccount(PRIVATE_KEY, 'correct horse', 'light')
    expect(json).not.toContain('4c4c4c4c')
    const account = await decryptAccount(json, 'correct horse')
    expect(account.privateKey).toBe(PRIVATE_KEY)
    expect(account.address.toLowerCase()).toBe(keystoreAddress(json))
    await expect(decryptAccount(json, 'correct horse ')).rejects.toMatchObject({
      code: 'KEYS_PASSWORD_WRONG',
    })
  })

  it('opens the published vector', async () => {
    const { privateKey } = await decryptAccount(JSON.stringify(PUBLISHED), 'testpassword')
    expect(privateKey).toBe('0x7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d')
  })

  it('uses the strength of wallets unless told otherwise', async () => {
    const json = JSON.parse(await encryptAccount(PRIVATE_KEY, 'x'))
    expect(json.crypto.kdfparams).toMatchObject({ n: 131_072, r: 8, p: 1 })
  })

  it('refuses files that are none', async () => {
    for (const json of ['', '{', '{}', '[]', JSON.stringify({ ...PUBLISHED, version: 1 })]) {
      await expect(decryptAccount(json, 'x')).rejects.toMatchObject({ code: 'KEYS_FILE_INVALID' })
    }
    const json = JSON.parse(await encryptAccount(PRIVATE_KEY, 'x', 'light'))
    json.address = 'ab'.repeat(20)
    await expect(decryptAccount(JSON.stringify(json), 'x')).rejects.toMatchObject({
      code: 'KEYS_FILE_INVALID',
    })
  })
})

describe('RLN keystore', () => {
  const membership = {
    chainId: 31337,
    contract: `0x${'4'.repeat(40)}`,
    commitment: 12345n,
    limit: 20,
    index: null,
  }

  it('keeps the facts readable and the secret locked', async () => {
    const secret = 2n ** 250n + 7n
    const json = formatRlnKeystore(await encryptRlnMembership({ ...membership, secret }, 'pw', 'light'))
    expect(json).not.toMatch(/"address"/)
    const file = parseRlnKeystore(json)
    expect(file).toMatchObject(membership)
    expect(await decryptRlnSecret(file, 'pw')).toBe(secret)
    await expect(decryptRlnSecret(file, 'other')).rejects.toMatchObject({ code: 'KEYS_PASSWORD_WRONG' })
  })

  it('refuses other content', () => {
    for (const json of ['', '{}', '{"version":1}']) {
      expect(() => parseRlnKeystore(json)).toThrow(expect.objectContaining({ code: 'KEYS_FILE_INVALID' }))
    }
  })
})

describe('key files', () => {
  it('are private and never overwritten', async () => {
    await using dir = await createTempDir()
    const path = dir.file('keystore.json')
    await createKeyFile(path, 'one')
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    await expect(createKeyFile(path, 'two')).rejects.toMatchObject({ code: 'KEYS_FILE_EXISTS' })
    expect(await readKeyFile(path)).toBe('one')
  })

  it('are not read when missing or open to others', async () => {
    await using dir = await createTempDir()
    const path = dir.file('keystore.json')
    await expect(readKeyFile(path)).rejects.toMatchObject({ code: 'KEYS_FILE_MISSING' })
    await createKeyFile(path, 'one')
    await chmod(path, 0o640)
    await expect(readKeyFile(path)).rejects.toMatchObject({ code: 'KEYS_FILE_EXPOSED', data: { path } })
  })

  it('hold a password on one line', async () => {
    await using dir = await createTempDir()
    const path = dir.file('password')
    await expect(readPasswordFile(path)).rejects.toMatchObject({ code: 'KEYS_PASSWORD_MISSING' })
    await writeFile(path, '\n')
    await expect(readPasswordFile(path)).rejects.toMatchObject({ code: 'KEYS_PASSWORD_MISSING' })
    await writeFile(path, ' with spaces \r\n')
    expect(await readPasswordFile(path)).toBe(' with spaces ')
  })
})
