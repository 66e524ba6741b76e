// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title Burning shares of amounts
library Burn {
    /// @dev Where burnt tokens go. No key is known, and a plain ERC-20 accepts it, unlike the zero address.
    address internal constant SINK = 0x000000000000000000000000000000000000dEaD;

    /// @dev Shares are in hundredths of a percent.
    uint256 internal constant WHOLE_BPS = 10_000;

    /// @dev What a flush leaves behind, so that the accrual slot stays non-zero: writing to a zero slot again would
    /// cost whoever settles next 17,100 gas more.
    uint256 internal constant RESIDUE = 1;

    /// @dev Share of `amount`, rounded down. The caller knows that `amount` fits 128 bits and `bps` 14.
    function shareDown(uint256 amount, uint256 bps) internal pure returns (uint256) {
        unchecked {
            return (amount * bps) / WHOLE_BPS;
        }
    }

    /// @dev Share of `amount`, rounded up: a slash burns at least what it promises. Same bounds.
    function shareUp(uint256 amount, uint256 bps) internal pure returns (uint256) {
        unchecked {
            return (amount * bps + WHOLE_BPS - 1) / WHOLE_BPS;
        }
    }
}
