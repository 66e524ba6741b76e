// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPaymentChannels} from "../interfaces/IPaymentChannels.sol";
import {ChannelsFixture} from "./support/ChannelsFixture.sol";
import {Vm} from "./support/Vm.sol";

/// @dev settleMany and closeMany. Branches in PaymentChannels.tree.
contract PaymentChannelsBatchesTest is ChannelsFixture {
    bytes32[] private ids;

    function setUp() public override {
        super.setUp();
        for (uint256 i = 0; i < 4; ++i) {
            ids.push(openChannel(payer.addr, bytes32(i), DEPOSIT));
        }
    }

    function test_SettleMany_PaysAllInOneTransfer() public {
        vm.recordLogs();
        vm.assertEq(channels.settleMany(payee.addr, batch(10 ether)), 4 * net(10 ether));
        vm.assertEq(token.balanceOf(payee.addr), 4 * net(10 ether));
        vm.assertEq(countLogs(keccak256("Transfer(address,address,uint256)")), 1);
    }

    function test_SettleMany_GivesWhatSingleSettlesGive() public {
        IPaymentChannels.ChannelClaim[] memory items = batch(10 ether);
        uint256 together = channels.settleMany(payee.addr, items);
        uint256 apart;
        for (uint256 i = 0; i < 4; ++i) {
            openChannel(stranger.addr, bytes32(i), DEPOSIT);
            IPaymentChannels.ChannelDescriptor memory d = descriptorOf(stranger.addr, bytes32(i));
            apart += channels.settle(d, claimFor(idOf(d), 10 ether));
        }
        vm.assertEq(together, apart);
    }

    function test_SettleMany_SkipsEachKindOfBadItem() public {
        IPaymentChannels.ChannelClaim[] memory items = batch(10 ether);
        items[0].claim.cumulative = 11 ether; // not what was signed
        items[1].salt = "unknown"; // never opened
        items[3].claim = claimFor(ids[3], uint128(DEPOSIT) + 1);
        vm.expectEmit();
        emit IPaymentChannels.ClaimSkipped(
            ids[0], payee.addr, IPaymentChannels.PaymentChannels_InvalidSignature.selector
        );
        vm.expectEmit();
        emit IPaymentChannels.ClaimSkipped(
            idOf(descriptorOf(payer.addr, "unknown")),
            payee.addr,
            IPaymentChannels.PaymentChannels_WrongStatus.selector
        );
        vm.expectEmit();
        emit IPaymentChannels.ClaimSkipped(
            ids[3], payee.addr, IPaymentChannels.PaymentChannels_ExceedsDeposit.selector
        );
        vm.assertEq(channels.settleMany(payee.addr, items), net(10 ether));
        vm.assertEq(stateOf(ids[0]).settled, 0);
        vm.assertEq(stateOf(ids[2]).settled, 10 ether);
    }

    /// @dev Dust griefing: one item is settled by somebody else just before; the rest of the batch goes through.
    function test_SettleMany_AnItemSettledBeforeIsSkipped() public {
        IPaymentChannels.ChannelClaim[] memory items = batch(10 ether);
        vm.prank(stranger.addr);
        channels.settle(descriptorOf(payer.addr, bytes32(uint256(1))), items[1].claim);
        vm.expectEmit();
        emit IPaymentChannels.ClaimSkipped(
            ids[1], payee.addr, IPaymentChannels.PaymentChannels_NotGrowing.selector
        );
        vm.assertEq(channels.settleMany(payee.addr, items), 3 * net(10 ether));
        vm.assertEq(token.balanceOf(payee.addr), 4 * net(10 ether));
    }

    function test_SettleMany_TheSameItemTwicePaysOnce() public {
        IPaymentChannels.ChannelClaim[] memory items = batch(10 ether);
        items[1] = items[0];
        vm.assertEq(channels.settleMany(payee.addr, items), 3 * net(10 ether));
    }

    /// @dev The payee is part of the id: a batch for somebody else finds no channel.
    function test_SettleMany_ForAnotherPayeeFindsNothing() public {
        vm.assertEq(channels.settleMany(stranger.addr, batch(10 ether)), 0);
        vm.assertEq(stateOf(ids[0]).settled, 0);
    }

    function test_SettleMany_OfNothingDoesNothing() public {
        vm.assertEq(channels.settleMany(payee.addr, new IPaymentChannels.ChannelClaim[](0)), 0);
    }

    function test_SettleMany_AllBadTransfersNothing() public {
        IPaymentChannels.ChannelClaim[] memory items = batch(10 ether);
        channels.settleMany(payee.addr, items);
        vm.recordLogs();
        vm.assertEq(channels.settleMany(payee.addr, items), 0);
        vm.assertEq(countLogs(keccak256("Transfer(address,address,uint256)")), 0);
    }

    function test_CloseMany_PaysRefundsAndAccrues() public {
        vm.recordLogs();
        vm.prank(payee.addr);
        vm.assertEq(channels.closeMany(batch(10 ether)), 4 * net(10 ether));
        vm.assertEq(countLogs(keccak256("Transfer(address,address,uint256)")), 1);
        vm.assertEq(channels.refundOf(payer.addr), 4 * (DEPOSIT - 10 ether));
        vm.assertEq(channels.burnAccrued(), 4 * burnShare(10 ether));
        for (uint256 i = 0; i < 4; ++i) {
            assertStatus(ids[i], IPaymentChannels.ChannelStatus.Closed);
        }
    }

    function test_CloseMany_SkipsBadItems() public {
        IPaymentChannels.ChannelClaim[] memory items = batch(10 ether);
        items[0].claim.cumulative = 11 ether;
        vm.expectEmit();
        emit IPaymentChannels.ClaimSkipped(
            ids[0], payee.addr, IPaymentChannels.PaymentChannels_InvalidSignature.selector
        );
        vm.prank(payee.addr);
        vm.assertEq(channels.closeMany(items), 3 * net(10 ether));
        assertStatus(ids[0], IPaymentChannels.ChannelStatus.Open);
        assertStatus(ids[1], IPaymentChannels.ChannelStatus.Closed);
    }

    /// @dev Dust griefing of a closing: the claim was settled by somebody else; the channel closes all the same.
    function test_CloseMany_AnItemSettledBeforeStillCloses() public {
        IPaymentChannels.ChannelClaim[] memory items = batch(10 ether);
        channels.settle(descriptorOf(payer.addr, bytes32(uint256(1))), items[1].claim);
        vm.prank(payee.addr);
        vm.assertEq(channels.closeMany(items), 3 * net(10 ether));
        assertStatus(ids[1], IPaymentChannels.ChannelStatus.Closed);
        vm.assertEq(channels.refundOf(payer.addr), 4 * (DEPOSIT - 10 ether));
    }

    function test_CloseMany_WithoutClaims() public {
        IPaymentChannels.ChannelClaim[] memory items = batch(10 ether);
        for (uint256 i = 0; i < 4; ++i) {
            items[i].claim = noClaim();
        }
        vm.prank(payee.addr);
        vm.assertEq(channels.closeMany(items), 0);
        vm.assertEq(channels.refundOf(payer.addr), 4 * DEPOSIT);
        vm.assertEq(channels.burnAccrued(), 0);
    }

    function test_CloseMany_BySomebodyElseFindsNothing() public {
        vm.prank(stranger.addr);
        vm.assertEq(channels.closeMany(batch(10 ether)), 0);
        assertStatus(ids[0], IPaymentChannels.ChannelStatus.Open);
    }

    // ---------------------------------------------------------------- helpers

    function batch(uint128 cumulative) private view returns (IPaymentChannels.ChannelClaim[] memory items) {
        items = new IPaymentChannels.ChannelClaim[](4);
        for (uint256 i = 0; i < 4; ++i) {
            items[i] = item(descriptorOf(payer.addr, bytes32(i)), claimFor(ids[i], cumulative));
        }
    }

    function countLogs(bytes32 topic) private returns (uint256 count) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] == topic) ++count;
        }
    }
}
