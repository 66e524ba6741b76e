import { PostriderError } from '@postrider/protocol/errors'

const SHA256_HEX = /^[0-9a-f]{64}$/i

/**
 * Keys from a server are used only with the hash of their manifest: also where no compiler insists on it.
 *
 * @throws PostriderError `CLIENT_OPTION_INVALID`
 */
export function checkPinned<Source extends { manifestSha256: string }>(source: Source): Source {
  if (SHA256_HEX.test(source.manifestSha256)) return source
  throw new PostriderError('CLIENT_OPTION_INVALID', {
    detail: 'artifacts.manifestSha256 is the SHA-256 of manifest.json, 64 hex digits',
    data: { option: 'artifacts.manifestSha256' },
  })
}
