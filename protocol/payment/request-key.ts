import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, concatBytes, utf8ToBytes } from '../wire/index.ts'

/**
 * The id under which an account remembers a request: SHA-256 over service, request id and serialized request. A
 * client that reuses an id for another request is charged for it.
 */
export function requestKey(service: string, requestId: string, request: Uint8Array): string {
  const separator = Uint8Array.of(0)
  return bytesToHex(
    sha256(concatBytes(utf8ToBytes(service), separator, utf8ToBytes(requestId), separator, request)),
  )
}
