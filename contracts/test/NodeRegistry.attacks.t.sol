// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {INodeRegistry} from "../interfaces/INodeRegistry.sol";
import {RegistryFixture} from "./support/RegistryFixture.sol";

/// @dev Known ways to save a stake that is due, each by its name. Listed in NodeRegistry.tree.
contract NodeRegistryAttacksTest is RegistryFixture {
    function setUp() public override {
        super.setUp();
        register();
        appoint();
    }

    function test_Attack_SlashRacesExit_TheSlashIsFirst() public {
        becomeFreeToLeave();
        vm.assertEq(judge.slash(operator, 600 ether, address(0)), 600 ether);
        vm.prank(operator);
        vm.assertEq(registry.withdrawStake(operator), STAKE - 600 ether);
        vm.assertEq(token.balanceOf(cold), STAKE - 600 ether);
    }

    /// @dev What has left cannot be taken, nor can it be taken from the stakes of others.
    function test_Attack_SlashRacesExit_TheExitIsFirst() public {
        registerOther(stranger);
        becomeFreeToLeave();
        vm.prank(operator);
        registry.withdrawStake(operator);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NodeRegistry_NotRegistered.selector, operator));
        judge.slash(operator, 600 ether, address(0));
        vm.assertEq(token.balanceOf(address(registry)), STAKE);
    }

    /// @dev A lock before the exit keeps the stake there for the judgement, however long that takes.
    function test_Attack_SlashRacesExit_ALockHoldsTheStake() public {
        judge.lock(operator);
        becomeFreeToLeave();
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NodeRegistry_Locked.selector, operator, 1));
        vm.prank(operator);
        registry.withdrawStake(operator);
        vm.assertEq(judge.slash(operator, STAKE, address(0)), STAKE);
    }

    /// @dev An operator makes its stake smaller than the judged amount, by a slash in favour of a friend just before.
    function test_Attack_ExactAmountSlash_AgainstAShrinkingStake() public {
        judge.slash(operator, 1, stranger);
        vm.assertEq(judge.slash(operator, STAKE, address(0)), STAKE - 1);
        vm.assertEq(stakeOf(operator), 0);
        vm.assertEq(token.balanceOf(address(registry)), 0);
    }

    function becomeFreeToLeave() private {
        vm.prank(operator);
        registry.announceExit(operator);
        vm.warp(block.timestamp + UNBONDING);
    }
}
