// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title What a payer signs, and the ticks between two signatures
library Vouchers {
    /// @dev EIP-712 type of a voucher. Every field that a claim relies on is in it.
    bytes32 internal constant TYPEHASH =
        keccak256("Voucher(bytes32 channelId,uint128 cumulative,bytes32 tickAnchor,uint64 tickValue)");

    /// @dev Half the order of secp256k1, rounded down: a larger s is the malleable twin of a smaller one.
    uint256 private constant HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;

    /// @dev EIP-712 digest of a voucher. Written in assembly because every redeemed voucher pays for it:
    /// `abi.encode` and two allocations cost some 250 gas more.
    function digest(
        bytes32 domainSeparator,
        bytes32 channelId,
        uint256 cumulative,
        bytes32 tickAnchor,
        uint256 tickValue
    ) internal pure returns (bytes32 result) {
        bytes32 typehash = TYPEHASH;
        assembly ("memory-safe") {
            // Beyond the free memory pointer nothing is kept, so it need not move.
            let free := mload(0x40)
            mstore(free, typehash)
            mstore(add(free, 0x20), channelId)
            mstore(add(free, 0x40), cumulative)
            mstore(add(free, 0x60), tickAnchor)
            mstore(add(free, 0x80), tickValue)
            let structHash := keccak256(free, 0xa0)
            mstore(free, shl(240, 0x1901))
            mstore(add(free, 0x02), domainSeparator)
            mstore(add(free, 0x22), structHash)
            result := keccak256(free, 0x42)
        }
    }

    /// @dev True if the compact signature (EIP-2098: the parity of v in the top bit of `vs`) has a low s and is by
    /// `signer` over `hash`. A failed recovery gives 0, which is nobody's signer.
    function isSignedBy(bytes32 hash, bytes32 r, bytes32 vs, address signer) internal pure returns (bool) {
        uint256 s = uint256(vs) & (type(uint256).max >> 1);
        if (s > HALF_ORDER) return false;
        address recovered = ecrecover(hash, uint8(uint256(vs) >> 255) + 27, r, bytes32(s));
        return recovered == signer && recovered != address(0);
    }

    /// @dev True if SHA-256, applied `count` times to `preimage`, gives `anchor`. The caller bounds `count`.
    function leadsTo(bytes32 anchor, bytes32 preimage, uint256 count) internal view returns (bool) {
        bytes32 link = preimage;
        for (uint256 i = 0; i < count; ++i) {
            link = _sha256(link);
        }
        return link == anchor;
    }

    /// @dev SHA-256 of one word through scratch space; `sha256(abi.encode(x))` would allocate for every tick.
    function _sha256(bytes32 word) private view returns (bytes32 link) {
        assembly ("memory-safe") {
            mstore(0x00, word)
            // The precompile at 2 cannot fail but for lack of gas, which the caller then lacks as well.
            if iszero(staticcall(gas(), 0x02, 0x00, 0x20, 0x00, 0x20)) { revert(0, 0) }
            link := mload(0x00)
        }
    }
}
