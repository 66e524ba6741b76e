import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { PostriderError } from '@postrider/protocol/errors'
import { bigIntToBytes, bytesToHex } from '@postrider/protocol/wire'
import { z } from 'zod'
import { isReadableByOthers, PRIVATE_FILE_MODE, readFileBounded } from './files.ts'

/** Largest key file that is read, bytes; real ones are under 2 KiB. */
const MAX_KEY_FILE_BYTES = 65_536

/** Largest password file that is read, bytes. */
const MAX_PASSWORD_FILE_BYTES = 4_096

/**
 * Work to derive the key from the password (scrypt N). `standard` is what wallets use, about half a second and
 * 128 MiB; `light` is for development networks that open many keystores at once.
 */
const SCRYPT_N = { standard: 131_072, light: 8_192 } as const
export type KeystoreStrength = keyof typeof SCRYPT_N

type Hex = `0x${string}`

/** An unlocked account. Keep it out of logs and errors. */
export type Account = { address: Hex; privateKey: Hex }

const web3Keystore = z.looseObject({
  version: z.literal(3),
  address: z
    .string()
    .regex(/^(0x)?[0-9a-fA-F]{40}$/)
    .optional(),
  crypto: z.looseObject({ ciphertext: z.string().regex(/^[0-9a-fA-F]{64}$/) }),
})

/** Locks a private key as a Web3 secret storage file (version 3), which common wallets open. */
export async function encryptAccount(
  privateKey: Hex,
  password: string,
  strength: KeystoreStrength = 'standard',
): Promise<string> {
  const { computeAddress, encryptKeystoreJson } = await import('ethers') // loads slowly, and most commands lock nothing
  const account = { address: computeAddress(privateKey), privateKey }
  const json = await encryptKeystoreJson(account, password, { scrypt: { N: SCRYPT_N[strength] } })
  return JSON.stringify(parseKeystore(json))
}

/**
 * Unlocks a Web3 keystore.
 *
 * @throws PostriderError `KEYS_FILE_INVALID`, `KEYS_PASSWORD_WRONG`
 */
export async function decryptAccount(json: string, password: string): Promise<Account> {
  parseKeystore(json)
  const { decryptKeystoreJson } = await import('ethers')
  try {
    const { address, privateKey } = await decryptKeystoreJson(json, password)
    return { address: address as Hex, privateKey: privateKey as Hex }
  } catch (error) {
    // The library's own error is left out: it may quote what it was given.
    const wrong = error instanceof Error && error.message.includes('incorrect password')
    throw new PostriderError(wrong ? 'KEYS_PASSWORD_WRONG' : 'KEYS_FILE_INVALID')
  }
}

/**
 * The address that a keystore says it holds, without its password; undefined if it says none.
 *
 * @throws PostriderError `KEYS_FILE_INVALID`
 */
export function keystoreAddress(json: string): Hex | undefined {
  const { address } = parseKeystore(json)
  return address === undefined ? undefined : `0x${address.replace(/^0x/, '').toLowerCase()}`
}

/** Some writers spell the field `Crypto`; the definition and we spell it `crypto`. */
function parseKeystore(json: string): z.output<typeof web3Keystore> {
  const value = z.looseObject({}).safeParse(parseJson(json)).data ?? {}
  const { Crypto: crypto, ...rest } = value
  const parsed = web3Keystore.safeParse({ ...(crypto === undefined ? {} : { crypto }), ...rest })
  if (!parsed.success) throw new PostriderError('KEYS_FILE_INVALID')
  return parsed.data
}

// ---- the RLN membership ------------------------------------------------------------------------------

const decimal = z.codec(z.string().regex(/^[0-9]{1,78}$/), z.bigint(), { decode: BigInt, encode: String })

const rlnKeystore = z.strictObject({
  version: z.literal(1),
  kind: z.literal('postrider-rln-membership'),
  chainId: z.int().positive(),
  contract: z.string().regex(/^0x[0-9a-fA-F]{40}$/),
  commitment: decimal,
  limit: z.int().min(1).max(65_535),
  index: z.int().nonnegative().nullable(),
  keystore: web3Keystore,
})

/** A membership as it lies on disk: public facts in the clear, the identity secret locked. */
export type RlnKeystore = z.output<typeof rlnKeystore>

/** Locks an identity secret together with the membership it belongs to. `index` is null until it is registered. */
export async function encryptRlnMembership(
  membership: Omit<RlnKeystore, 'version' | 'kind' | 'keystore'> & { secret: bigint },
  password: string,
  strength: KeystoreStrength = 'standard',
): Promise<RlnKeystore> {
  const { secret, ...facts } = membership
  const json = await encryptAccount(bytesToHex(bigIntToBytes(secret, 32)), password, strength)
  // The address that belongs to the secret as an account key means nothing here.
  const { address: _, ...keystore } = parseKeystore(json)
  return { version: 1, kind: 'postrider-rln-membership', ...facts, keystore }
}

/** @throws PostriderError `KEYS_PASSWORD_WRONG`, `KEYS_FILE_INVALID` */
export async function decryptRlnSecret(file: RlnKeystore, password: string): Promise<bigint> {
  const { privateKey } = await decryptAccount(JSON.stringify(file.keystore), password)
  return BigInt(privateKey)
}

export function formatRlnKeystore(file: RlnKeystore): string {
  return `${JSON.stringify(z.encode(rlnKeystore, file), null, 2)}\n`
}

/** @throws PostriderError `KEYS_FILE_INVALID` */
export function parseRlnKeystore(json: string): RlnKeystore {
  const parsed = rlnKeystore.safeParse(parseJson(json))
  if (!parsed.success) throw new PostriderError('KEYS_FILE_INVALID')
  return parsed.data
}

// ---- files -------------------------------------------------------------------------------------------

/**
 * Reads a key file that only its owner may read.
 *
 * @throws PostriderError `KEYS_FILE_MISSING`, `KEYS_FILE_EXPOSED`, `CORE_FILE_READ_FAILED` (data: path)
 */
export async function readKeyFile(path: string): Promise<string> {
  const bytes = await readFileBounded(path, MAX_KEY_FILE_BYTES)
  if (!bytes) throw new PostriderError('KEYS_FILE_MISSING', { detail: path, data: { path } })
  if (await isReadableByOthers(path)) {
    throw new PostriderError('KEYS_FILE_EXPOSED', { detail: path, data: { path } })
  }
  return new TextDecoder().decode(bytes)
}

/**
 * Writes a key file with mode 0600, durably, and never over another one.
 *
 * @throws PostriderError `KEYS_FILE_EXISTS`, `CORE_FILE_WRITE_FAILED` (data: path)
 */
export async function createKeyFile(path: string, content: string): Promise<void> {
  try {
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL
    const file = await open(path, flags, PRIVATE_FILE_MODE)
    try {
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
  } catch (cause) {
    const exists = cause instanceof Error && 'code' in cause && cause.code === 'EEXIST'
    const code = exists ? 'KEYS_FILE_EXISTS' : 'CORE_FILE_WRITE_FAILED'
    throw new PostriderError(code, { detail: path, data: { path }, cause })
  }
}

/**
 * The password in a file; one line break at its end does not count.
 *
 * @throws PostriderError `KEYS_PASSWORD_MISSING` if the file is missing or empty, `CORE_FILE_READ_FAILED`
 */
export async function readPasswordFile(path: string): Promise<string> {
  const bytes = await readFileBounded(path, MAX_PASSWORD_FILE_BYTES)
  const password = new TextDecoder().decode(bytes).replace(/\r?\n$/, '')
  if (password === '') throw new PostriderError('KEYS_PASSWORD_MISSING', { detail: path, data: { path } })
  return password
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
