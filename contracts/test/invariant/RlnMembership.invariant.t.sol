// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPostToken} from "../../interfaces/IPostToken.sol";
import {IRlnMembership} from "../../interfaces/IRlnMembership.sol";
import {InvariantBase} from "../support/TestBase.sol";
import {MembershipHandler} from "./MembershipHandler.sol";

/// @dev The numbers are those of README.md beside this file.
contract RlnMembershipInvariants is InvariantBase {
    address private constant SINK = 0x000000000000000000000000000000000000dEaD;

    MembershipHandler private handler;
    IRlnMembership private membership;
    IPostToken private token;

    function setUp() public {
        handler = new MembershipHandler();
        handler.setUp();
        membership = handler.membershipAddress();
        token = handler.tokenAddress();
        bytes4[] memory moves = new bytes4[](7);
        moves[0] = handler.join.selector;
        moves[1] = handler.leaveGroup.selector;
        moves[2] = handler.withdraw.selector;
        moves[3] = handler.commitTo.selector;
        moves[4] = handler.reveal.selector;
        moves[5] = handler.flush.selector;
        moves[6] = handler.pass.selector;
        target(address(handler), moves);
    }

    function invariant_M1_TokensHeldAreDepositsAndAccruedBurn() public view {
        vm.assertEq(
            token.balanceOf(address(membership)), handler.depositsAtRisk() + membership.burnAccrued()
        );
    }

    function invariant_M2_TheHashFoldsEveryChange() public view {
        (bytes32 accumulator, uint256 nextIndex) = membership.state();
        vm.assertEq(accumulator, handler.accumulator());
        vm.assertEq(nextIndex, handler.registered());
    }

    function invariant_M3_StatusesAreAsPlayed() public view {
        for (uint256 i = 0; i < handler.secrets(); ++i) {
            uint256 commitment = handler.commitments(i);
            vm.assertEq(
                uint256(membership.member(commitment).status), uint256(handler.statuses(commitment))
            );
        }
    }

    function invariant_M4_NothingForbiddenHappened() public view {
        vm.assertEq(handler.violation(), "");
    }

    function invariant_M5_NothingIsMadeAndNothingIsLost() public view {
        vm.assertEq(
            handler.paidIn(),
            handler.paidBack() + handler.rewarded() + handler.flushed()
                + token.balanceOf(address(membership))
        );
        vm.assertEq(token.balanceOf(SINK), handler.flushed());
    }
}
