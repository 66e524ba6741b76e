import { PostriderError } from '@postrider/protocol/errors'
import { createIdentity, type Identity, identityFromSecret } from '@postrider/protocol/rln'
import { bigIntToBytes, bytesToBigInt, bytesToHex, hexToBytes } from '@postrider/protocol/wire'
import type { Random } from '../core/random.ts'
import { encodeRecord, getRecord, putRecord } from '../storage/records.ts'
import type { Storage } from '../storage/types.ts'
import { burnEpochs } from './allocator.ts'

const KEY = 'rln/identity'
const SECRET_BYTES = 32

/** The identity in the storage, if there is one. */
export async function loadIdentity(storage: Storage): Promise<Identity | undefined> {
  const record = await getRecord<{ secret: bigint }>(storage, KEY)
  return record && identityFromSecret(record.secret)
}

/** The identity in the storage, or a new one that is on disk before anyone sees its commitment. */
export async function loadOrCreateIdentity(storage: Storage, random: Random): Promise<Identity> {
  const known = await loadIdentity(storage)
  if (known) return known
  const identity = createIdentity((length) => random.bytes(length))
  await putRecord(storage, KEY, { secret: identity.secret })
  return identity
}

/**
 * Takes over an identity from another device or a backup. Its ids up to and including `epoch` count as used,
 * because nobody knows here which were.
 *
 * @throws PostriderError `CLIENT_RLN_IDENTITY_EXISTS`, `RLN_VALUE_INVALID`, `WIRE_VALUE_INVALID`
 */
export async function importIdentity(storage: Storage, secret: string, epoch: bigint): Promise<Identity> {
  const identity = identityFromSecret(bytesToBigInt(hexToBytes(secret, SECRET_BYTES)))
  const known = await loadIdentity(storage)
  if (known && known.secret !== identity.secret) throw new PostriderError('CLIENT_RLN_IDENTITY_EXISTS')
  await burnEpochs(storage, identity.commitment, epoch)
  await putRecord(storage, KEY, { secret: identity.secret })
  return identity
}

/** Puts an identity aside whose membership is over; its secret is kept. */
export async function retireIdentity(storage: Storage, { secret, commitment }: Identity): Promise<void> {
  await storage.batch([
    { key: `rln/retired/${commitment.toString(16)}`, value: encodeRecord({ secret }) },
    { key: KEY, value: undefined },
  ])
}

/** The secret as 32 bytes in hex: whoever has it can send as this member and take its deposit. */
export function exportSecret(identity: Identity): string {
  return bytesToHex(bigIntToBytes(identity.secret, SECRET_BYTES))
}
