import { PostriderError } from '@postrider/protocol/errors'
import type { Network } from '@postrider/protocol/network'
import type { Address } from '@postrider/protocol/wire'
import { getRecord, putRecord } from '../storage/records.ts'
import type { Storage } from '../storage/types.ts'

const OWNER = 'wallet/owner'

/** Whose money a storage is about, and in which contracts. */
type Owner = { wallet: string; chainId: number; paymentChannels: string; rlnMembership: string }

/**
 * Makes a storage that of one wallet on one network: with another, what was promised and spent would be taken for its
 * own.
 *
 * @throws PostriderError `CLIENT_STORAGE_FOREIGN`
 */
export async function claimStorage(
  storage: Storage,
  { chainId, contracts }: Network,
  wallet: Address,
): Promise<void> {
  const owner: Owner = {
    wallet: wallet.toLowerCase(),
    chainId,
    paymentChannels: contracts.paymentChannels.toLowerCase(),
    rlnMembership: contracts.rlnMembership.toLowerCase(),
  }
  const found = await getRecord<Owner>(storage, OWNER)
  if (!found) return putRecord(storage, OWNER, owner)
  const names = ['wallet', 'chainId', 'paymentChannels', 'rlnMembership'] as const
  const different = names.filter((name) => found[name] !== owner[name])
  if (different.length === 0) return
  const data = Object.fromEntries(different.map((name) => [name, found[name]]))
  throw new PostriderError('CLIENT_STORAGE_FOREIGN', { detail: different.join(', '), data })
}
