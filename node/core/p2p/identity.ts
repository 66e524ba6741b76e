import { generateKeyPairFromSeed, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { PostriderError } from '@postrider/protocol/errors'
import { readFileBounded, writeFileAtomic } from '../files.ts'
import { type Random, systemRandom } from '../random.ts'

/** A libp2p key file holds 68 bytes for Ed25519. */
const MAX_KEY_FILE_BYTES = 256
const SEED_BYTES = 32

/** A new Ed25519 key; its public half is the peer id. */
export async function createIdentityKey(random: Random = systemRandom): Promise<PrivateKey> {
  return generateKeyPairFromSeed('Ed25519', random.bytes(SEED_BYTES))
}

/**
 * Reads the node's libp2p key (protobuf, as other libp2p tools write it), or creates it with mode 0600.
 *
 * @throws PostriderError `RELAY_IDENTITY_INVALID`, `CORE_FILE_READ_FAILED`, `CORE_FILE_WRITE_FAILED`
 */
export async function loadIdentityKey(path: string, random: Random = systemRandom): Promise<PrivateKey> {
  const stored = await readFileBounded(path, MAX_KEY_FILE_BYTES)
  if (stored) return parseKey(stored, path)
  const key = await createIdentityKey(random)
  await writeFileAtomic(path, privateKeyToProtobuf(key))
  return key
}

function parseKey(bytes: Uint8Array, path: string): PrivateKey {
  try {
    const key = privateKeyFromProtobuf(bytes)
    if (key.type === 'Ed25519') return key
  } catch (cause) {
    throw new PostriderError('RELAY_IDENTITY_INVALID', { detail: path, data: { path }, cause })
  }
  throw new PostriderError('RELAY_IDENTITY_INVALID', {
    detail: `${path} is not an Ed25519 key`,
    data: { path },
  })
}
