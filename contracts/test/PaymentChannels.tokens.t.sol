// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IPaymentChannels} from "../interfaces/IPaymentChannels.sol";
import {IPostToken} from "../interfaces/IPostToken.sol";
import {ChannelsFixture} from "./support/ChannelsFixture.sol";
import {BlockToken, FalseToken, FeeToken, HookToken, OddToken, SilentToken} from "./support/Tokens.sol";

/// @dev Tokens that are not plain: each is refused at the first deposit, or does no harm.
contract PaymentChannelsOddTokensTest is ChannelsFixture {
    function useToken(address odd) private {
        token = IPostToken(odd);
        channels = deployChannels(odd, THAW, BURN_BPS);
        OddToken(odd).mint(payer.addr, 1_000 ether);
        vm.prank(payer.addr);
        // Through the type that expects no answer, since one of these gives none.
        SilentToken(odd).approve(address(channels), type(uint256).max);
    }

    function test_FeeOnTransfer_IsRefusedAtOpening() public {
        useToken(address(new FeeToken()));
        vm.expectRevert(
            abi.encodeWithSelector(
                IPaymentChannels.PaymentChannels_InexactTransfer.selector, DEPOSIT * 99 / 100, DEPOSIT
            )
        );
        openChannel();
    }

    function test_FalseInsteadOfRevert_IsRefusedAtOpening() public {
        useToken(address(new FalseToken()));
        vm.expectRevert(
            abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(token))
        );
        openChannel();
    }

    /// @dev The payer cannot receive tokens any more: its refund waits for it, and nobody else waits.
    function test_Attack_BlockedPayer_DoesNotStopABatch() public {
        BlockToken blocking = new BlockToken();
        useToken(address(blocking));
        blocking.mint(stranger.addr, DEPOSIT);
        vm.prank(stranger.addr);
        blocking.approve(address(channels), DEPOSIT);
        IPaymentChannels.ChannelClaim[] memory items = new IPaymentChannels.ChannelClaim[](2);
        items[0] = item(descriptor(), claimFor(openChannel(), 10 ether));
        bytes32 other = openChannel(stranger.addr, SALT, DEPOSIT);
        items[1] = item(descriptorOf(stranger.addr, SALT), claimFor(other, 20 ether));
        blocking.setBlocked(payer.addr, true);
        vm.prank(payee.addr);
        vm.assertEq(channels.closeMany(items), net(10 ether) + net(20 ether));
        vm.assertEq(channels.withdrawRefund(stranger.addr), DEPOSIT - 20 ether);
        vm.expectRevert(abi.encodeWithSelector(BlockToken.Blocked.selector, payer.addr));
        channels.withdrawRefund(payer.addr);
        blocking.setBlocked(payer.addr, false);
        vm.assertEq(channels.withdrawRefund(payer.addr), DEPOSIT - 10 ether);
    }

    function test_NoReturnValue_Works() public {
        useToken(address(new SilentToken()));
        openChannel();
        channels.settle(descriptor(), claimFor(40 ether));
        vm.assertEq(token.balanceOf(payee.addr), net(40 ether));
    }
}

/// @dev A token that calls back in the middle of a transfer, into every function that could profit. The token itself
/// is a payer, since it can only call as itself.
contract PaymentChannelsReentrancyTest is ChannelsFixture {
    HookToken private hook;
    bytes32 private id;

    function setUp() public override {
        super.setUp();
        hook = new HookToken();
        token = IPostToken(address(hook));
        channels = deployChannels(address(hook), THAW, BURN_BPS);
        hook.mint(payer.addr, 1_000 ether);
        hook.mint(address(hook), 1_000 ether);
        hook.approveFor(address(channels), type(uint256).max);
        vm.prank(payer.addr);
        token.approve(address(channels), type(uint256).max);
        id = openChannel();
    }

    function test_Settle_InsideSettle_DoesNotPayTwice() public {
        IPaymentChannels.Claim memory claim = claimFor(40 ether);
        arm(abi.encodeCall(channels.settle, (descriptor(), claim)));
        channels.settle(descriptor(), claim);
        expectCallbackRefused(IPaymentChannels.PaymentChannels_NotGrowing.selector);
        vm.assertEq(token.balanceOf(payee.addr), net(40 ether));
    }

    function test_SettleMany_InsideSettleMany_DoesNotPayTwice() public {
        IPaymentChannels.ChannelClaim[] memory items = new IPaymentChannels.ChannelClaim[](1);
        items[0] = item(descriptor(), claimFor(40 ether));
        arm(abi.encodeCall(channels.settleMany, (payee.addr, items)));
        channels.settleMany(payee.addr, items);
        vm.assertTrue(hook.succeeded());
        vm.assertEq(abi.decode(hook.answer(), (uint256)), 0);
        vm.assertEq(token.balanceOf(payee.addr), net(40 ether));
    }

    function test_Settle_InsideClose_FindsItClosed() public {
        IPaymentChannels.Claim memory claim = claimFor(50 ether);
        arm(abi.encodeCall(channels.settle, (descriptor(), claim)));
        IPaymentChannels.Claim memory last = claimFor(40 ether);
        vm.prank(payee.addr);
        channels.close(descriptor(), last);
        expectCallbackRefused(IPaymentChannels.PaymentChannels_WrongStatus.selector);
        assertSolvent();
    }

    function test_WithdrawRefund_InsideClose_PaysWhatIsBookedOnce() public {
        arm(abi.encodeCall(channels.withdrawRefund, (payer.addr)));
        IPaymentChannels.Claim memory last = claimFor(40 ether);
        vm.prank(payee.addr);
        channels.close(descriptor(), last);
        vm.assertTrue(hook.succeeded());
        vm.assertEq(channels.refundOf(payer.addr), 0);
        assertSolvent();
    }

    function test_WithdrawRefund_InsideWithdrawRefund_PaysOnce() public {
        vm.prank(payee.addr);
        channels.close(descriptor(), noClaim());
        arm(abi.encodeCall(channels.withdrawRefund, (payer.addr)));
        channels.withdrawRefund(payer.addr);
        expectCallbackRefused(IPaymentChannels.PaymentChannels_NothingDue.selector);
        vm.assertEq(token.balanceOf(payer.addr), 1_000 ether);
    }

    function test_Withdraw_InsideWithdraw_PaysOnce() public {
        IPaymentChannels.ChannelDescriptor memory own = descriptorOf(address(hook), "own");
        openChannel(address(hook), "own", DEPOSIT);
        vm.prank(address(hook));
        channels.requestClose(own);
        vm.warp(block.timestamp + THAW);
        arm(abi.encodeCall(channels.withdraw, (own)));
        vm.prank(address(hook));
        channels.withdraw(own);
        expectCallbackRefused(IPaymentChannels.PaymentChannels_WrongStatus.selector);
        assertSolvent();
    }

    function test_FlushBurn_InsideFlushBurn_BurnsOnce() public {
        IPaymentChannels.Claim memory last = claimFor(40 ether);
        vm.prank(payee.addr);
        channels.close(descriptor(), last);
        arm(abi.encodeCall(channels.flushBurn, ()));
        channels.flushBurn();
        expectCallbackRefused(IPaymentChannels.PaymentChannels_NothingDue.selector);
        vm.assertEq(channels.burnAccrued(), 1);
    }

    /// @dev The measured amount of the outer deposit would hold the inner one too: refused as inexact.
    function test_Open_InsideOpen_IsRefused() public {
        arm(abi.encodeCall(channels.open, (payee.addr, signer.addr, "inner", 1 ether)));
        vm.expectRevert(
            abi.encodeWithSelector(
                IPaymentChannels.PaymentChannels_InexactTransfer.selector, DEPOSIT + 1 ether, DEPOSIT
            )
        );
        openChannel(payer.addr, "outer", DEPOSIT);
    }

    function test_Settle_InsideOpen_IsRefused() public {
        arm(abi.encodeCall(channels.settle, (descriptor(), claimFor(40 ether))));
        vm.expectPartialRevert(IPaymentChannels.PaymentChannels_InexactTransfer.selector);
        openChannel(payer.addr, "outer", DEPOSIT);
    }

    /// @dev The deposit is booked before the tokens come; if they do not come, all of it is undone.
    function test_Settle_InsideTopUp_KeepsTheBooksRight() public {
        arm(abi.encodeCall(channels.settle, (descriptor(), claimFor(uint128(DEPOSIT + 1 ether)))));
        vm.prank(payer.addr);
        channels.topUp(id, 1 ether);
        vm.assertTrue(hook.succeeded());
        assertSolvent();
    }

    // ---------------------------------------------------------------- helpers

    function arm(bytes memory call) private {
        hook.arm(address(channels), call);
    }

    function expectCallbackRefused(bytes4 selector) private view {
        vm.assertTrue(hook.called());
        vm.assertFalse(hook.succeeded());
        vm.assertEq(bytes32(bytes4(hook.answer())), bytes32(selector));
    }

    /// @dev What the contract holds covers what it owes for both channels of these tests.
    function assertSolvent() private view {
        uint256 owed = owedFor(id) + owedFor(idOf(descriptorOf(address(hook), "own")))
            + channels.refundOf(payer.addr) + channels.refundOf(address(hook)) + channels.burnAccrued();
        vm.assertEq(token.balanceOf(address(channels)), owed);
    }

    function owedFor(bytes32 channelId) private view returns (uint256) {
        IPaymentChannels.Channel memory state = stateOf(channelId);
        if (state.status == IPaymentChannels.ChannelStatus.Closed) return 0;
        return state.deposit - state.settled + burnShare(state.settled);
    }
}
