import { keccak_256 } from '@noble/hashes/sha3.js'
import { bytesToHex, concatBytes, type Hex, utf8ToBytes } from '../wire/index.ts'
import { hashWords, word } from './abi.ts'
import { type RecoverSigner, recoverSigner, signDigest } from './signature.ts'
import type { Bind, ChannelDescriptor, PaymentDomain, Voucher } from './types.ts'

/** EIP-712 types; the contract's type hashes are of these very strings. */
export const VOUCHER_TYPE =
  'Voucher(bytes32 channelId,uint128 cumulative,bytes32 tickAnchor,uint64 tickValue)'
export const BIND_TYPE = 'Bind(bytes32 channelId,bytes32 nonce,bytes32 clientPeer,bytes32 nodePeer)'
const DOMAIN_TYPE = 'EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)'

const hashText = (text: string) => keccak_256(utf8ToBytes(text))
const VOUCHER_TYPEHASH = hashText(VOUCHER_TYPE)
const BIND_TYPEHASH = hashText(BIND_TYPE)
const DOMAIN_PREFIX = [hashText(DOMAIN_TYPE), hashText('Postrider PaymentChannels'), hashText('1')]
const TYPED_DATA_PREFIX = Uint8Array.of(0x19, 0x01)

/** Domain separators kept computed; a process knows one network, tests a few. */
const MAX_SEPARATORS = 16
const separators = new Map<string, Uint8Array>()

/** keccak256(abi.encode(payer, payee, token, salt, signer, contract, chainId)). */
export function channelId(descriptor: ChannelDescriptor, domain: PaymentDomain): Hex {
  return bytesToHex(
    hashWords(
      word.address(descriptor.payer),
      word.address(descriptor.payee),
      word.address(domain.token),
      word.bytes32(descriptor.salt),
      word.address(descriptor.signer),
      word.address(domain.contract),
      word.uint(domain.chainId),
    ),
  )
}

/** The EIP-712 domain separator: name "Postrider PaymentChannels", version "1", chain id, contract. */
export function domainSeparator({ chainId, contract }: PaymentDomain): Uint8Array {
  const key = `${chainId}/${contract}`
  const known = separators.get(key)
  if (known !== undefined) return known
  const separator = hashWords(...DOMAIN_PREFIX, word.uint(chainId), word.address(contract))
  if (separators.size >= MAX_SEPARATORS) separators.clear()
  separators.set(key, separator)
  return separator
}

/** The EIP-712 digest of a voucher, 32 bytes. */
export function hashVoucher(domain: PaymentDomain, voucher: Voucher): Uint8Array {
  const struct = hashWords(
    VOUCHER_TYPEHASH,
    word.bytes32(voucher.channelId),
    word.uint(voucher.cumulative),
    word.bytes32(voucher.tickAnchor),
    word.uint(voucher.tickValue),
  )
  return digest(domain, struct)
}

/** The EIP-712 digest of a bind, 32 bytes; peer ids enter as their keccak256. */
export function hashBind(domain: PaymentDomain, bind: Bind): Uint8Array {
  const struct = hashWords(
    BIND_TYPEHASH,
    word.bytes32(bind.channelId),
    word.bytes32(bind.nonce),
    keccak_256(bind.clientPeerId),
    keccak_256(bind.nodePeerId),
  )
  return digest(domain, struct)
}

/** 65 bytes r ‖ s ‖ v with low s, deterministic (RFC 6979). */
export function signVoucher(domain: PaymentDomain, voucher: Voucher, privateKey: Uint8Array): Uint8Array {
  return signDigest(hashVoucher(domain, voucher), privateKey)
}

/** True when `signer` signed the voucher; false, never an exception, for any other signature bytes. */
export function verifyVoucher(
  domain: PaymentDomain,
  voucher: Voucher,
  signature: Uint8Array,
  signer: string,
  recover: RecoverSigner = recoverSigner,
): boolean {
  return recover(hashVoucher(domain, voucher), signature) === signer.toLowerCase()
}

/** As `signVoucher`, for a bind. */
export function signBind(domain: PaymentDomain, bind: Bind, privateKey: Uint8Array): Uint8Array {
  return signDigest(hashBind(domain, bind), privateKey)
}

/** As `verifyVoucher`, for a bind. */
export function verifyBind(
  domain: PaymentDomain,
  bind: Bind,
  signature: Uint8Array,
  signer: string,
  recover: RecoverSigner = recoverSigner,
): boolean {
  return recover(hashBind(domain, bind), signature) === signer.toLowerCase()
}

function digest(domain: PaymentDomain, struct: Uint8Array): Uint8Array {
  return keccak_256(concatBytes(TYPED_DATA_PREFIX, domainSeparator(domain), struct))
}
