import { isPostriderError } from '@postrider/protocol/errors'
import type { Network } from '@postrider/protocol/network'
import type { Config } from '../../core/config/index.ts'
import { openProvingKeys } from '../../keys.ts'
import { type Check, failed, ok, warning } from '../../operator/checks.ts'

const NAME = 'proving keys'

/** The key files have their hashes, and their set-up fits the chain. */
export async function provingKeysCheck({ zk }: Config, network: Network): Promise<Check> {
  try {
    const keys = await openProvingKeys(zk, network)
    if (keys.warning) return warning(NAME, keys.warning.message, keys.warning.fix)
    if (zk.manifestSha256 !== undefined) return ok(NAME, 'of a ceremony, pinned by their hash')
    return warning(NAME, 'of a ceremony, but nothing pins them', 'set zk.manifestSha256')
  } catch (error) {
    if (!isPostriderError(error)) throw error
    return failed(NAME, error.message, error.fix)
  }
}
