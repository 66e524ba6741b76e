import { keccak_256 } from '@noble/hashes/sha3.js'
import { bigIntToBytes, bytesToHex, concatBytes, type Hex, hexToBytes } from '../wire/index.ts'
import { rateCommitment } from './identity.ts'

/** One change of the member list, as the contract emits it. Commitment 0 and limit 0 erase the leaf. */
export type MembershipChange = { index: number; commitment: bigint; limit: number }

/** The running hash before the first change. */
export const EMPTY_ACCUMULATOR: Hex = `0x${'00'.repeat(32)}`

/**
 * The contract's running hash after one more change:
 * keccak256(abi.encode(bytes32 accumulator, uint256 index, uint256 commitment, uint256 limit)).
 */
export function accumulate(accumulator: Hex, change: MembershipChange): Hex {
  return bytesToHex(
    keccak_256(
      concatBytes(
        hexToBytes(accumulator, 32),
        bigIntToBytes(BigInt(change.index), 32),
        bigIntToBytes(change.commitment, 32),
        bigIntToBytes(BigInt(change.limit), 32),
      ),
    ),
  )
}

/** The leaf that a change puts into the tree: Poseidon(commitment, limit), or 0 when it erases. */
export function leafOfChange(change: MembershipChange): bigint {
  return change.commitment === 0n ? 0n : rateCommitment(change.commitment, change.limit)
}
