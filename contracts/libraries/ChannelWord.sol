// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPaymentChannels} from "../interfaces/IPaymentChannels.sol";

/// @dev A channel's state as the one storage word it is: deposit in bits 0–95, settled in 96–191, closeAt in 192–231,
/// status in 232–239. Handled as a word, a claim costs one load and one store and no copy through memory.
type ChannelWord is uint256;

using ChannelWords for ChannelWord global;

/// @title Reading and changing a channel's word
/// @dev Writers do not mask: each says what its caller has to have checked.
library ChannelWords {
    uint256 private constant MASK_96 = (1 << 96) - 1;
    uint256 private constant MASK_40 = (1 << 40) - 1;
    uint256 private constant SETTLED_BIT = 96;
    uint256 private constant CLOSE_AT_BIT = 192;
    uint256 private constant STATUS_BIT = 232;

    /// @dev A fresh open channel.
    function opened(uint96 amount) internal pure returns (ChannelWord) {
        return ChannelWord.wrap((uint256(IPaymentChannels.ChannelStatus.Open) << STATUS_BIT) | amount);
    }

    function deposit(ChannelWord word) internal pure returns (uint256) {
        return ChannelWord.unwrap(word) & MASK_96;
    }

    function settled(ChannelWord word) internal pure returns (uint256) {
        return (ChannelWord.unwrap(word) >> SETTLED_BIT) & MASK_96;
    }

    function closeAt(ChannelWord word) internal pure returns (uint256) {
        return (ChannelWord.unwrap(word) >> CLOSE_AT_BIT) & MASK_40;
    }

    function status(ChannelWord word) internal pure returns (IPaymentChannels.ChannelStatus) {
        return IPaymentChannels.ChannelStatus(ChannelWord.unwrap(word) >> STATUS_BIT);
    }

    /// @dev Without the range check that a conversion to the enum makes.
    function isOpen(ChannelWord word) internal pure returns (bool) {
        return ChannelWord.unwrap(word) >> STATUS_BIT == uint256(IPaymentChannels.ChannelStatus.Open);
    }

    /// @dev True while claims are honoured.
    function honoursClaims(ChannelWord word) internal pure returns (bool) {
        uint256 value = ChannelWord.unwrap(word) >> STATUS_BIT;
        return value == uint256(IPaymentChannels.ChannelStatus.Open)
            || value == uint256(IPaymentChannels.ChannelStatus.Closing);
    }

    /// @dev The deposit grows. The caller checked that `deposit + amount` fits 96 bits.
    function withDeposited(ChannelWord word, uint256 amount) internal pure returns (ChannelWord) {
        unchecked {
            return ChannelWord.wrap(ChannelWord.unwrap(word) + amount);
        }
    }

    /// @dev `settled` becomes `total`. The caller checked that `settled ≤ total ≤ deposit`.
    function withSettled(ChannelWord word, uint256 total) internal pure returns (ChannelWord) {
        unchecked {
            return ChannelWord.wrap(ChannelWord.unwrap(word) + ((total - settled(word)) << SETTLED_BIT));
        }
    }

    /// @dev From Open to Closing. The caller checked the status and that `time` fits 40 bits.
    function withClosing(ChannelWord word, uint256 time) internal pure returns (ChannelWord) {
        uint256 closing = ChannelWord.unwrap(_withStatus(word, IPaymentChannels.ChannelStatus.Closing));
        return ChannelWord.wrap(closing | (time << CLOSE_AT_BIT));
    }

    /// @dev To Closed, from any status.
    function withClosed(ChannelWord word) internal pure returns (ChannelWord) {
        return _withStatus(word, IPaymentChannels.ChannelStatus.Closed);
    }

    /// @dev The word as the interface shows it.
    function unpack(ChannelWord word) internal pure returns (IPaymentChannels.Channel memory) {
        return IPaymentChannels.Channel({
            deposit: uint96(deposit(word)),
            settled: uint96(settled(word)),
            closeAt: uint40(closeAt(word)),
            status: status(word)
        });
    }

    function _withStatus(ChannelWord word, IPaymentChannels.ChannelStatus next)
        private
        pure
        returns (ChannelWord)
    {
        uint256 rest = ChannelWord.unwrap(word) & ((1 << STATUS_BIT) - 1);
        return ChannelWord.wrap(rest | (uint256(next) << STATUS_BIT));
    }
}
