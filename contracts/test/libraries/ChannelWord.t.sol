// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPaymentChannels} from "../../interfaces/IPaymentChannels.sol";
import {ChannelWord, ChannelWords} from "../../libraries/ChannelWord.sol";
import {TestBase} from "../support/TestBase.sol";

/// @dev The packed word against the plain struct: every writer changes its field and no other.
contract ChannelWordTest is TestBase {
    function testFuzz_Word_IsTheStruct(uint96 amount, uint256 more, uint256 total, uint40 time) public pure {
        ChannelWord word = ChannelWords.opened(amount);
        assertSame(word, amount, 0, 0, IPaymentChannels.ChannelStatus.Open);
        vm.assertTrue(word.isOpen());
        vm.assertTrue(word.honoursClaims());

        uint256 deposit = within(more, amount, type(uint96).max);
        word = word.withDeposited(deposit - amount);
        assertSame(word, deposit, 0, 0, IPaymentChannels.ChannelStatus.Open);

        uint256 settled = within(total, 0, deposit);
        word = word.withSettled(settled);
        assertSame(word, deposit, settled, 0, IPaymentChannels.ChannelStatus.Open);

        word = word.withClosing(time);
        assertSame(word, deposit, settled, time, IPaymentChannels.ChannelStatus.Closing);
        vm.assertFalse(word.isOpen());
        vm.assertTrue(word.honoursClaims());

        word = word.withClosed();
        assertSame(word, deposit, settled, time, IPaymentChannels.ChannelStatus.Closed);
        vm.assertFalse(word.honoursClaims());
    }

    function test_Word_OfNothingIsNone() public pure {
        ChannelWord word = ChannelWord.wrap(0);
        assertSame(word, 0, 0, 0, IPaymentChannels.ChannelStatus.None);
        vm.assertFalse(word.isOpen());
        vm.assertFalse(word.honoursClaims());
    }

    function assertSame(
        ChannelWord word,
        uint256 deposit,
        uint256 settled,
        uint256 closeAt,
        IPaymentChannels.ChannelStatus status
    ) private pure {
        IPaymentChannels.Channel memory state = word.unpack();
        vm.assertEq(state.deposit, deposit);
        vm.assertEq(state.settled, settled);
        vm.assertEq(state.closeAt, closeAt);
        vm.assertEq(uint256(state.status), uint256(status));
    }
}
