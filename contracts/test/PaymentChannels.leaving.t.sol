// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPaymentChannels} from "../interfaces/IPaymentChannels.sol";
import {ChannelsFixture} from "./support/ChannelsFixture.sol";

/// @dev close, requestClose, withdraw, withdrawRefund, setPayoutAddress, flushBurn. Branches in PaymentChannels.tree.
contract PaymentChannelsLeavingTest is ChannelsFixture {
    bytes32 private id;

    function setUp() public override {
        super.setUp();
        id = openChannel();
    }

    // ---------------------------------------------------------------- close

    function test_Close_WithAClaim() public {
        vm.expectEmit();
        emit IPaymentChannels.Settled(id, payee.addr, 40 ether, 40 ether, burnShare(40 ether));
        vm.expectEmit();
        emit IPaymentChannels.ChannelClosed(id, payer.addr, payee.addr, 40 ether, 60 ether);
        vm.prank(payee.addr);
        vm.assertEq(channels.close(descriptor(), claimFor(40 ether)), net(40 ether));
        assertStatus(id, IPaymentChannels.ChannelStatus.Closed);
        vm.assertEq(stateOf(id).settled, 40 ether);
        vm.assertEq(channels.refundOf(payer.addr), 60 ether);
        vm.assertEq(channels.burnAccrued(), burnShare(40 ether));
        vm.assertEq(token.balanceOf(address(channels)), 60 ether + burnShare(40 ether));
    }

    function test_Close_WithoutAClaim() public {
        vm.prank(payee.addr);
        vm.assertEq(channels.close(descriptor(), noClaim()), 0);
        vm.assertEq(channels.refundOf(payer.addr), DEPOSIT);
        vm.assertEq(channels.burnAccrued(), 0);
    }

    function test_Close_WithTicks() public {
        IPaymentChannels.Claim memory claim = tickClaim(10 ether, 1 ether, 64);
        vm.prank(payee.addr);
        channels.close(descriptor(), claim);
        vm.assertEq(stateOf(id).settled, 74 ether);
    }

    function test_Close_OfAnExhaustedChannelRefundsNothing() public {
        vm.prank(payee.addr);
        channels.close(descriptor(), claimFor(uint128(DEPOSIT)));
        vm.assertEq(channels.refundOf(payer.addr), 0);
    }

    /// @dev Somebody settles the last voucher first: the payee can close all the same.
    function test_Close_WithAClaimThatWasSettledBefore() public {
        IPaymentChannels.Claim memory claim = claimFor(40 ether);
        vm.prank(stranger.addr);
        channels.settle(descriptor(), claim);
        vm.prank(payee.addr);
        vm.assertEq(channels.close(descriptor(), claim), 0);
        vm.assertEq(stateOf(id).settled, 40 ether);
        vm.assertEq(channels.burnAccrued(), burnShare(40 ether));
        vm.assertEq(channels.refundOf(payer.addr), 60 ether);
    }

    function test_Close_WhileClosing() public {
        vm.prank(payer.addr);
        channels.requestClose(descriptor());
        vm.prank(payee.addr);
        channels.close(descriptor(), claimFor(40 ether));
        assertStatus(id, IPaymentChannels.ChannelStatus.Closed);
    }

    function test_Close_RevertWhen_NotThePayee() public {
        vm.expectRevert(
            abi.encodeWithSelector(
                IPaymentChannels.PaymentChannels_Unauthorized.selector, payer.addr, payee.addr
            )
        );
        vm.prank(payer.addr);
        channels.close(descriptor(), noClaim());
    }

    function test_Close_RevertWhen_NeverOpened() public {
        IPaymentChannels.ChannelDescriptor memory other = descriptorOf(payer.addr, "other");
        expectCloseRefused(other, noClaim(), IPaymentChannels.ChannelStatus.None);
    }

    function test_Close_RevertWhen_Closed() public {
        vm.prank(payee.addr);
        channels.close(descriptor(), noClaim());
        expectCloseRefused(descriptor(), claimFor(1 ether), IPaymentChannels.ChannelStatus.Closed);
    }

    function test_Close_RevertWhen_TheClaimExceedsTheDeposit() public {
        IPaymentChannels.Claim memory claim = claimFor(uint128(DEPOSIT) + 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                IPaymentChannels.PaymentChannels_ExceedsDeposit.selector, id, DEPOSIT + 1, DEPOSIT
            )
        );
        vm.prank(payee.addr);
        channels.close(descriptor(), claim);
    }

    function test_Close_RevertWhen_TheSignatureIsForged() public {
        IPaymentChannels.Claim memory claim = signed(claimFor(1 ether), id, payee.key);
        vm.expectRevert(
            abi.encodeWithSelector(
                IPaymentChannels.PaymentChannels_InvalidSignature.selector, id, signer.addr
            )
        );
        vm.prank(payee.addr);
        channels.close(descriptor(), claim);
    }

    // ---------------------------------------------------------------- requestClose

    function test_RequestClose_StartsTheThaw() public {
        vm.expectEmit();
        emit IPaymentChannels.CloseRequested(id, payer.addr, payee.addr, block.timestamp + THAW);
        vm.prank(payer.addr);
        channels.requestClose(descriptor());
        assertStatus(id, IPaymentChannels.ChannelStatus.Closing);
        vm.assertEq(stateOf(id).closeAt, block.timestamp + THAW);
        vm.assertEq(stateOf(id).deposit, DEPOSIT);
    }

    function test_RequestClose_RevertWhen_NotThePayer() public {
        vm.expectRevert(
            abi.encodeWithSelector(
                IPaymentChannels.PaymentChannels_Unauthorized.selector, payee.addr, payer.addr
            )
        );
        vm.prank(payee.addr);
        channels.requestClose(descriptor());
    }

    function test_RequestClose_RevertWhen_RequestedBefore() public {
        vm.startPrank(payer.addr);
        channels.requestClose(descriptor());
        vm.warp(block.timestamp + 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                IPaymentChannels.PaymentChannels_WrongStatus.selector,
                id,
                IPaymentChannels.ChannelStatus.Closing
            )
        );
        channels.requestClose(descriptor());
    }

    function test_RequestClose_RevertWhen_NeverOpened() public {
        IPaymentChannels.ChannelDescriptor memory other = descriptorOf(payer.addr, "other");
        vm.expectPartialRevert(IPaymentChannels.PaymentChannels_WrongStatus.selector);
        vm.prank(payer.addr);
        channels.requestClose(other);
    }

    function test_RequestClose_RevertWhen_Closed() public {
        vm.prank(payee.addr);
        channels.close(descriptor(), noClaim());
        vm.expectPartialRevert(IPaymentChannels.PaymentChannels_WrongStatus.selector);
        vm.prank(payer.addr);
        channels.requestClose(descriptor());
    }

    // ---------------------------------------------------------------- withdraw

    function test_Withdraw_RefundsWhatWasNotSettled() public {
        channels.settle(descriptor(), claimFor(40 ether));
        requestAndThaw();
        uint256 before = token.balanceOf(payer.addr);
        vm.expectEmit();
        emit IPaymentChannels.ChannelWithdrawn(id, payer.addr, payee.addr, 40 ether, 60 ether);
        vm.prank(payer.addr);
        vm.assertEq(channels.withdraw(descriptor()), 60 ether);
        vm.assertEq(token.balanceOf(payer.addr) - before, 60 ether);
        assertStatus(id, IPaymentChannels.ChannelStatus.Closed);
        vm.assertEq(channels.burnAccrued(), burnShare(40 ether));
        vm.assertEq(token.balanceOf(address(channels)), burnShare(40 ether));
    }

    function test_Withdraw_OfAnExhaustedChannelRefundsNothing() public {
        channels.settle(descriptor(), claimFor(uint128(DEPOSIT)));
        requestAndThaw();
        vm.prank(payer.addr);
        vm.assertEq(channels.withdraw(descriptor()), 0);
    }

    function test_Withdraw_AtTheVeryEndOfTheThaw() public {
        vm.startPrank(payer.addr);
        channels.requestClose(descriptor());
        vm.warp(block.timestamp + THAW);
        vm.assertEq(channels.withdraw(descriptor()), DEPOSIT);
    }

    function test_Withdraw_RevertWhen_Thawing() public {
        vm.startPrank(payer.addr);
        channels.requestClose(descriptor());
        uint256 closeAt = block.timestamp + THAW;
        vm.warp(closeAt - 1);
        vm.expectRevert(
            abi.encodeWithSelector(IPaymentChannels.PaymentChannels_Thawing.selector, id, closeAt)
        );
        channels.withdraw(descriptor());
    }

    function test_Withdraw_RevertWhen_CloseWasNotRequested() public {
        vm.warp(block.timestamp + 100 * THAW);
        vm.expectRevert(
            abi.encodeWithSelector(
                IPaymentChannels.PaymentChannels_WrongStatus.selector, id, IPaymentChannels.ChannelStatus.Open
            )
        );
        vm.prank(payer.addr);
        channels.withdraw(descriptor());
    }

    function test_Withdraw_RevertWhen_WithdrawnBefore() public {
        requestAndThaw();
        vm.startPrank(payer.addr);
        channels.withdraw(descriptor());
        vm.expectRevert(
            abi.encodeWithSelector(
                IPaymentChannels.PaymentChannels_WrongStatus.selector,
                id,
                IPaymentChannels.ChannelStatus.Closed
            )
        );
        channels.withdraw(descriptor());
    }

    function test_Withdraw_RevertWhen_ThePayeeClosedMeanwhile() public {
        requestAndThaw();
        vm.prank(payee.addr);
        channels.close(descriptor(), claimFor(1 ether));
        vm.expectPartialRevert(IPaymentChannels.PaymentChannels_WrongStatus.selector);
        vm.prank(payer.addr);
        channels.withdraw(descriptor());
    }

    function test_Withdraw_RevertWhen_NotThePayer() public {
        requestAndThaw();
        vm.expectRevert(
            abi.encodeWithSelector(
                IPaymentChannels.PaymentChannels_Unauthorized.selector, stranger.addr, payer.addr
            )
        );
        vm.prank(stranger.addr);
        channels.withdraw(descriptor());
    }

    // ---------------------------------------------------------------- withdrawRefund

    function test_WithdrawRefund_ByAnyone_PaysThePayer() public {
        vm.prank(payee.addr);
        channels.close(descriptor(), claimFor(40 ether));
        uint256 before = token.balanceOf(payer.addr);
        vm.expectEmit();
        emit IPaymentChannels.RefundWithdrawn(payer.addr, 60 ether);
        vm.prank(stranger.addr);
        vm.assertEq(channels.withdrawRefund(payer.addr), 60 ether);
        vm.assertEq(token.balanceOf(payer.addr) - before, 60 ether);
        vm.assertEq(channels.refundOf(payer.addr), 0);
    }

    function test_WithdrawRefund_SumsOverChannels() public {
        openChannel(payer.addr, "other", DEPOSIT);
        vm.startPrank(payee.addr);
        channels.close(descriptor(), noClaim());
        channels.close(descriptorOf(payer.addr, "other"), noClaim());
        vm.stopPrank();
        vm.assertEq(channels.withdrawRefund(payer.addr), 2 * DEPOSIT);
    }

    function test_WithdrawRefund_RevertWhen_NothingIsDue() public {
        expectNothingDue(payer.addr);
        channels.withdrawRefund(payer.addr);
    }

    function test_WithdrawRefund_RevertWhen_TakenBefore() public {
        vm.prank(payee.addr);
        channels.close(descriptor(), noClaim());
        channels.withdrawRefund(payer.addr);
        expectNothingDue(payer.addr);
        channels.withdrawRefund(payer.addr);
    }

    // ---------------------------------------------------------------- setPayoutAddress

    function test_Payout_IsThePayeeAtFirst() public view {
        vm.assertEq(channels.payoutAddressOf(payee.addr), payee.addr);
    }

    function test_Payout_ReceivesEarningsOnceSet() public {
        address cold = account("cold").addr;
        vm.expectEmit();
        emit IPaymentChannels.PayoutAddressSet(payee.addr, payee.addr, cold);
        vm.prank(payee.addr);
        channels.setPayoutAddress(payee.addr, cold);
        channels.settle(descriptor(), claimFor(40 ether));
        vm.assertEq(token.balanceOf(cold), net(40 ether));
        vm.assertEq(token.balanceOf(payee.addr), 0);
    }

    function test_Payout_OnlyThePresentOneChangesIt() public {
        address cold = account("cold").addr;
        address colder = account("colder").addr;
        vm.prank(payee.addr);
        channels.setPayoutAddress(payee.addr, cold);
        vm.prank(cold);
        channels.setPayoutAddress(payee.addr, colder);
        vm.assertEq(channels.payoutAddressOf(payee.addr), colder);
    }

    /// @dev The payee's key is hot; whoever steals it cannot redirect what is earned.
    function test_Payout_RevertWhen_TheHotKeyTriesToChangeIt() public {
        address cold = account("cold").addr;
        vm.startPrank(payee.addr);
        channels.setPayoutAddress(payee.addr, cold);
        vm.expectRevert(
            abi.encodeWithSelector(
                IPaymentChannels.PaymentChannels_Unauthorized.selector, payee.addr, cold
            )
        );
        channels.setPayoutAddress(payee.addr, stranger.addr);
    }

    function test_Payout_RevertWhen_AStrangerSetsIt() public {
        vm.expectRevert(
            abi.encodeWithSelector(
                IPaymentChannels.PaymentChannels_Unauthorized.selector, stranger.addr, payee.addr
            )
        );
        vm.prank(stranger.addr);
        channels.setPayoutAddress(payee.addr, stranger.addr);
    }

    function test_Payout_RevertWhen_ZeroTokenOrThis() public {
        address[3] memory forbidden = [address(0), address(token), address(channels)];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(IPaymentChannels.PaymentChannels_InvalidPayout.selector, forbidden[i])
            );
            vm.prank(payee.addr);
            channels.setPayoutAddress(payee.addr, forbidden[i]);
        }
    }

    // ---------------------------------------------------------------- flushBurn

    function test_FlushBurn_ByAnyone_SendsAllButOneUnitToTheSink() public {
        vm.prank(payee.addr);
        channels.close(descriptor(), claimFor(40 ether));
        uint256 accrued = channels.burnAccrued();
        vm.expectEmit();
        emit IPaymentChannels.BurnFlushed(accrued - 1);
        vm.prank(stranger.addr);
        vm.assertEq(channels.flushBurn(), accrued - 1);
        vm.assertEq(token.balanceOf(SINK), accrued - 1);
        vm.assertEq(channels.burnAccrued(), 1);
    }

    function test_FlushBurn_RevertWhen_NothingAccrued() public {
        expectNothingDue(SINK);
        channels.flushBurn();
    }

    function test_FlushBurn_RevertWhen_OnlyTheResidueIsLeft() public {
        vm.prank(payee.addr);
        channels.close(descriptor(), claimFor(40 ether));
        channels.flushBurn();
        expectNothingDue(SINK);
        channels.flushBurn();
    }

    /// @dev The share is withheld at once but can be flushed only when its channel has closed.
    function test_FlushBurn_RevertWhen_TheChannelIsStillOpen() public {
        channels.settle(descriptor(), claimFor(40 ether));
        expectNothingDue(SINK);
        channels.flushBurn();
    }

    // ---------------------------------------------------------------- helpers

    function requestAndThaw() private {
        vm.prank(payer.addr);
        channels.requestClose(descriptor());
        vm.warp(block.timestamp + THAW);
    }

    function expectCloseRefused(
        IPaymentChannels.ChannelDescriptor memory d,
        IPaymentChannels.Claim memory claim,
        IPaymentChannels.ChannelStatus status
    ) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IPaymentChannels.PaymentChannels_WrongStatus.selector, idOf(d), status
            )
        );
        vm.prank(payee.addr);
        channels.close(d, claim);
    }

    function expectNothingDue(address who) private {
        vm.expectRevert(
            abi.encodeWithSelector(IPaymentChannels.PaymentChannels_NothingDue.selector, who)
        );
    }
}
