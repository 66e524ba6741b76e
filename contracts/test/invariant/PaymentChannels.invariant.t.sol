// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPaymentChannels} from "../../interfaces/IPaymentChannels.sol";
import {IPostToken} from "../../interfaces/IPostToken.sol";
import {InvariantBase} from "../support/TestBase.sol";
import {ChannelsHandler} from "./ChannelsHandler.sol";

/// @dev The numbers are those of README.md beside this file.
contract PaymentChannelsInvariants is InvariantBase {
    address private constant SINK = 0x000000000000000000000000000000000000dEaD;

    ChannelsHandler private handler;
    IPaymentChannels private channels;
    IPostToken private token;

    function setUp() public {
        handler = new ChannelsHandler();
        handler.setUp();
        channels = handler.channelsAddress();
        token = handler.tokenAddress();
        bytes4[] memory moves = new bytes4[](13);
        moves[0] = handler.open.selector;
        moves[1] = handler.topUp.selector;
        moves[2] = handler.settle.selector;
        moves[3] = handler.replay.selector;
        moves[4] = handler.settleMany.selector;
        moves[5] = handler.close.selector;
        moves[6] = handler.closeMany.selector;
        moves[7] = handler.requestClose.selector;
        moves[8] = handler.withdraw.selector;
        moves[9] = handler.withdrawRefund.selector;
        moves[10] = handler.flushBurn.selector;
        moves[11] = handler.redirect.selector;
        moves[12] = handler.pass.selector;
        target(address(handler), moves);
    }

    function invariant_C1_TokensHeldAreTokensOwed() public view {
        vm.assertEq(
            token.balanceOf(address(channels)),
            handler.owedToChannels() + handler.owedRefunds() + channels.burnAccrued()
        );
    }

    function invariant_C2_SettledIsWithinTheDepositAndNeverFalls() public view {
        for (uint256 i = 0; i < handler.count(); ++i) {
            bytes32 id = handler.ids(i);
            IPaymentChannels.Channel memory state = channels.channel(id);
            vm.assertLe(state.settled, state.deposit, "settled above the deposit");
            vm.assertEq(state.settled, handler.highestSettled(id), "settled changed without a claim");
        }
    }

    function invariant_C3_EveryUnitSettledIsPaidOnce() public view {
        vm.assertEq(handler.earned(), handler.netOfAllSettled());
    }

    function invariant_C4_ClosedStaysClosed() public view {
        for (uint256 i = 0; i < handler.count(); ++i) {
            bytes32 id = handler.ids(i);
            IPaymentChannels.Channel memory state = channels.channel(id);
            bool isClosed = state.status == IPaymentChannels.ChannelStatus.Closed;
            vm.assertEq(isClosed, handler.closed(id));
            if (isClosed) vm.assertEq(keccak256(abi.encode(state)), handler.closedState(id));
        }
    }

    function invariant_C5_NothingIsMadeAndNothingIsLost() public view {
        vm.assertEq(
            handler.deposited(),
            handler.earned() + handler.refunded() + handler.burnt() + token.balanceOf(address(channels))
        );
        vm.assertEq(token.balanceOf(SINK), handler.burnt());
    }

    function invariant_C6_NothingForbiddenHappened() public view {
        vm.assertEq(handler.violation(), "");
    }
}
