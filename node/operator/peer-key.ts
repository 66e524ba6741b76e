import { publicKeyFromRaw } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPublicKey } from '@libp2p/peer-id'

/** The peer id of a raw Ed25519 public key, as the registry keeps it. */
export function peerIdOfKey(peerKey: `0x${string}`): string {
  const raw = Buffer.from(peerKey.slice(2), 'hex')
  return peerIdFromPublicKey(publicKeyFromRaw(Uint8Array.from(raw))).toString()
}

/** What the registry keeps of a node's identity: its raw public key. */
export const peerKeyOf = (key: PrivateKey): `0x${string}` =>
  `0x${Buffer.from(key.publicKey.raw).toString('hex')}`
