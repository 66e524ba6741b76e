// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {INodeRegistry} from "../../interfaces/INodeRegistry.sol";
import {IPostToken} from "../../interfaces/IPostToken.sol";
import {InvariantBase} from "../support/TestBase.sol";
import {RegistryHandler} from "./RegistryHandler.sol";

/// @dev The numbers are those of README.md beside this file.
contract NodeRegistryInvariants is InvariantBase {
    address private constant SINK = 0x000000000000000000000000000000000000dEaD;

    RegistryHandler private handler;
    INodeRegistry private registry;
    IPostToken private token;

    function setUp() public {
        handler = new RegistryHandler();
        handler.setUp();
        registry = handler.registryAddress();
        token = handler.tokenAddress();
        bytes4[] memory moves = new bytes4[](11);
        moves[0] = handler.join.selector;
        moves[1] = handler.addStake.selector;
        moves[2] = handler.announceExit.selector;
        moves[3] = handler.cancelExit.selector;
        moves[4] = handler.withdrawStake.selector;
        moves[5] = handler.withdrawAsStranger.selector;
        moves[6] = handler.lock.selector;
        moves[7] = handler.unlock.selector;
        moves[8] = handler.slash.selector;
        moves[9] = handler.rotate.selector;
        moves[10] = handler.pass.selector;
        target(address(handler), moves);
    }

    function invariant_R1_TokensHeldAreStakes() public view {
        vm.assertEq(token.balanceOf(address(registry)), handler.sumOfStakes());
        for (uint256 i = 0; i < handler.operators(); ++i) {
            address operator = handler.operatorAt(i);
            vm.assertEq(registry.node(operator).stake, handler.stakes(operator));
        }
    }

    function invariant_R2_NothingForbiddenHappened() public view {
        vm.assertEq(handler.violation(), "");
    }

    function invariant_R3_SlashesBurnTheirShare() public view {
        uint256 burnt = token.balanceOf(SINK);
        vm.assertEq(burnt + handler.rewarded(), handler.slashed());
        vm.assertGe(burnt * 10_000, handler.slashed() * 8_000);
    }

    function invariant_R4_NothingIsMadeAndNothingIsLost() public view {
        vm.assertEq(
            handler.staked(),
            handler.withdrawn() + handler.slashed() + token.balanceOf(address(registry))
        );
    }

    function invariant_R5_TheListIsTheSetOfNodes() public view {
        uint256 registered;
        for (uint256 i = 0; i < handler.operators(); ++i) {
            if (registry.node(handler.operatorAt(i)).registeredAt != 0) ++registered;
        }
        vm.assertEq(registry.operatorCount(), registered);
        for (uint256 i = 0; i < registered; ++i) {
            INodeRegistry.Node memory node = registry.node(registry.operatorAt(i));
            vm.assertTrue(node.registeredAt != 0);
            vm.assertEq(registry.operatorOf(node.peerKey), node.operator);
            for (uint256 j = 0; j < i; ++j) {
                vm.assertTrue(registry.operatorAt(j) != node.operator);
            }
        }
    }
}
