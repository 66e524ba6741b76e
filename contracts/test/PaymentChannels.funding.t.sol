// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPaymentChannels} from "../interfaces/IPaymentChannels.sol";
import {PermitSignature} from "../interfaces/PermitSignature.sol";
import {ChannelsFixture} from "./support/ChannelsFixture.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

/// @dev Deployment, open, openWithPermit, topUp, topUpWithPermit. Branches in PaymentChannels.tree.
contract PaymentChannelsFundingTest is ChannelsFixture {
    // ---------------------------------------------------------------- constructor

    function test_Deploy_FixesParameters() public view {
        (address token_, uint256 thaw, uint256 burnBps) = channels.parameters();
        vm.assertEq(token_, address(token));
        vm.assertEq(thaw, THAW);
        vm.assertEq(burnBps, BURN_BPS);
        vm.assertEq(channels.BURN_ADDRESS(), SINK);
        vm.assertEq(channels.MAX_TICKS(), 64);
    }

    function test_Deploy_RevertWhen_TokenHasNoCode() public {
        vm.expectRevert(
            abi.encodeWithSelector(IPaymentChannels.PaymentChannels_InvalidToken.selector, stranger.addr)
        );
        deployChannels(stranger.addr, THAW, BURN_BPS);
    }

    function test_Deploy_RevertWhen_ThawIsZero() public {
        vm.expectRevert(
            abi.encodeWithSelector(IPaymentChannels.PaymentChannels_InvalidThaw.selector, 0, 30 days)
        );
        deployChannels(address(token), 0, BURN_BPS);
    }

    function test_Deploy_RevertWhen_ThawIsTooLong() public {
        vm.expectRevert(
            abi.encodeWithSelector(
                IPaymentChannels.PaymentChannels_InvalidThaw.selector, 30 days + 1, 30 days
            )
        );
        deployChannels(address(token), 30 days + 1, BURN_BPS);
    }

    function test_Deploy_RevertWhen_BurnShareIsTooHigh() public {
        vm.expectRevert(
            abi.encodeWithSelector(IPaymentChannels.PaymentChannels_InvalidBurnShare.selector, 501, 500)
        );
        deployChannels(address(token), THAW, 501);
    }

    // ---------------------------------------------------------------- open

    function test_Open_LocksTheDeposit() public {
        bytes32 id = channels.channelIdOf(descriptor());
        vm.expectEmit();
        emit IPaymentChannels.ChannelOpened(id, payer.addr, payee.addr, signer.addr, SALT, DEPOSIT);
        vm.assertEq(openChannel(), id);

        IPaymentChannels.Channel memory state = stateOf(id);
        vm.assertEq(state.deposit, DEPOSIT);
        vm.assertEq(state.settled, 0);
        vm.assertEq(state.closeAt, 0);
        assertStatus(id, IPaymentChannels.ChannelStatus.Open);
        vm.assertEq(token.balanceOf(address(channels)), DEPOSIT);
        vm.assertEq(token.balanceOf(payer.addr), 1_000_000 ether - DEPOSIT);
    }

    function test_Open_IdBindsEverything() public view {
        vm.assertEq(
            channels.channelIdOf(descriptor()),
            keccak256(
                abi.encode(
                    payer.addr, payee.addr, address(token), SALT, signer.addr, address(channels), block.chainid
                )
            )
        );
    }

    function test_Open_AnotherSaltIsAnotherChannel() public {
        bytes32 first = openChannel();
        bytes32 second = openChannel(payer.addr, "other", DEPOSIT);
        vm.assertTrue(first != second);
        IPaymentChannels.Channel[] memory states = channels.channels(pair(first, second));
        vm.assertEq(states.length, 2);
        vm.assertEq(states[0].deposit, DEPOSIT);
        vm.assertEq(states[1].deposit, DEPOSIT);
    }

    function test_Open_RevertWhen_PayeeIsZeroTokenOrThis() public {
        address[3] memory forbidden = [address(0), address(token), address(channels)];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(IPaymentChannels.PaymentChannels_InvalidPayee.selector, forbidden[i])
            );
            vm.prank(payer.addr);
            channels.open(forbidden[i], signer.addr, SALT, DEPOSIT);
        }
    }

    function test_Open_RevertWhen_SignerIsZero() public {
        vm.expectRevert(
            abi.encodeWithSelector(IPaymentChannels.PaymentChannels_InvalidSigner.selector, address(0))
        );
        vm.prank(payer.addr);
        channels.open(payee.addr, address(0), SALT, DEPOSIT);
    }

    function test_Open_RevertWhen_AmountIsZero() public {
        vm.expectRevert(IPaymentChannels.PaymentChannels_ZeroAmount.selector);
        openChannel(payer.addr, SALT, 0);
    }

    function test_Open_RevertWhen_Open() public {
        expectAlreadyOpened(openChannel(), IPaymentChannels.ChannelStatus.Open);
    }

    function test_Open_RevertWhen_Closing() public {
        bytes32 id = openChannel();
        vm.prank(payer.addr);
        channels.requestClose(descriptor());
        expectAlreadyOpened(id, IPaymentChannels.ChannelStatus.Closing);
    }

    function test_Open_RevertWhen_Closed() public {
        bytes32 id = openChannel();
        vm.prank(payee.addr);
        channels.close(descriptor(), noClaim());
        expectAlreadyOpened(id, IPaymentChannels.ChannelStatus.Closed);
    }

    function test_Open_RevertWhen_AllowanceIsMissing() public {
        Account memory poor = account("poor");
        token.faucet(poor.addr, DEPOSIT);
        vm.expectRevert(
            abi.encodeWithSelector(
                IERC20Errors.ERC20InsufficientAllowance.selector, address(channels), 0, DEPOSIT
            )
        );
        openChannel(poor.addr, SALT, DEPOSIT);
    }

    // ---------------------------------------------------------------- openWithPermit

    function test_OpenWithPermit_NeedsNoApproval() public {
        Account memory fresh = account("fresh");
        token.faucet(fresh.addr, DEPOSIT);
        PermitSignature memory permit = permitFor(fresh, DEPOSIT, block.timestamp);
        vm.prank(fresh.addr);
        bytes32 id = channels.openWithPermit(payee.addr, signer.addr, SALT, DEPOSIT, permit);
        vm.assertEq(stateOf(id).deposit, DEPOSIT);
        vm.assertEq(token.allowance(fresh.addr, address(channels)), 0);
    }

    function test_OpenWithPermit_SurvivesAFrontRunPermit() public {
        Account memory fresh = account("fresh");
        token.faucet(fresh.addr, DEPOSIT);
        PermitSignature memory permit = permitFor(fresh, DEPOSIT, block.timestamp);
        vm.prank(stranger.addr);
        token.permit(
            fresh.addr, address(channels), permit.value, permit.deadline, permit.v, permit.r, permit.s
        );
        vm.prank(fresh.addr);
        bytes32 id = channels.openWithPermit(payee.addr, signer.addr, SALT, DEPOSIT, permit);
        vm.assertEq(stateOf(id).deposit, DEPOSIT);
    }

    function test_OpenWithPermit_RevertWhen_PermitFailsAndAllowanceIsShort() public {
        Account memory fresh = account("fresh");
        token.faucet(fresh.addr, DEPOSIT);
        PermitSignature memory permit = permitFor(fresh, DEPOSIT, block.timestamp - 1);
        vm.expectRevert(
            abi.encodeWithSelector(IPaymentChannels.PaymentChannels_PermitFailed.selector, 0, DEPOSIT)
        );
        vm.prank(fresh.addr);
        channels.openWithPermit(payee.addr, signer.addr, SALT, DEPOSIT, permit);
    }

    function test_OpenWithPermit_RevertWhen_PermitCoversLessThanTheAmount() public {
        Account memory fresh = account("fresh");
        token.faucet(fresh.addr, DEPOSIT);
        PermitSignature memory permit = permitFor(fresh, DEPOSIT - 1, block.timestamp);
        vm.expectRevert(
            abi.encodeWithSelector(
                IPaymentChannels.PaymentChannels_PermitFailed.selector, DEPOSIT - 1, DEPOSIT
            )
        );
        vm.prank(fresh.addr);
        channels.openWithPermit(payee.addr, signer.addr, SALT, DEPOSIT, permit);
    }

    function test_OpenWithPermit_RevertWhen_PermitIsAnotherOwners() public {
        PermitSignature memory permit = permitFor(payer, DEPOSIT, block.timestamp);
        Account memory fresh = account("fresh");
        token.faucet(fresh.addr, DEPOSIT);
        vm.expectRevert(
            abi.encodeWithSelector(IPaymentChannels.PaymentChannels_PermitFailed.selector, 0, DEPOSIT)
        );
        vm.prank(fresh.addr);
        channels.openWithPermit(payee.addr, signer.addr, SALT, DEPOSIT, permit);
    }

    // ---------------------------------------------------------------- topUp

    function test_TopUp_AddsToTheDeposit() public {
        bytes32 id = openChannel();
        vm.expectEmit();
        emit IPaymentChannels.ChannelToppedUp(id, 1 ether, DEPOSIT + 1 ether);
        vm.prank(payer.addr);
        channels.topUp(id, 1 ether);
        vm.assertEq(stateOf(id).deposit, DEPOSIT + 1 ether);
        vm.assertEq(token.balanceOf(address(channels)), DEPOSIT + 1 ether);
    }

    function test_TopUp_ByAnyone_StillRefundsThePayer() public {
        bytes32 id = openChannel();
        vm.prank(stranger.addr);
        channels.topUp(id, 1 ether);
        vm.prank(payee.addr);
        channels.close(descriptor(), noClaim());
        vm.assertEq(channels.refundOf(payer.addr), DEPOSIT + 1 ether);
        vm.assertEq(channels.refundOf(stranger.addr), 0);
    }

    function test_TopUp_KeepsWhatWasSettled() public {
        bytes32 id = openChannel();
        channels.settle(descriptor(), claimFor(40 ether));
        vm.prank(payer.addr);
        channels.topUp(id, 1 ether);
        vm.assertEq(stateOf(id).settled, 40 ether);
    }

    function test_TopUp_RevertWhen_AmountIsZero() public {
        bytes32 id = openChannel();
        vm.expectRevert(IPaymentChannels.PaymentChannels_ZeroAmount.selector);
        vm.prank(payer.addr);
        channels.topUp(id, 0);
    }

    function test_TopUp_RevertWhen_NeverOpened() public {
        expectTopUpRefused("nothing", IPaymentChannels.ChannelStatus.None);
    }

    function test_TopUp_RevertWhen_Closing() public {
        bytes32 id = openChannel();
        vm.prank(payer.addr);
        channels.requestClose(descriptor());
        expectTopUpRefused(id, IPaymentChannels.ChannelStatus.Closing);
    }

    function test_TopUp_RevertWhen_Closed() public {
        bytes32 id = openChannel();
        vm.prank(payee.addr);
        channels.close(descriptor(), noClaim());
        expectTopUpRefused(id, IPaymentChannels.ChannelStatus.Closed);
    }

    function test_TopUp_RevertWhen_DepositWouldOverflow() public {
        bytes32 id = openChannel();
        vm.expectRevert(
            abi.encodeWithSelector(
                IPaymentChannels.PaymentChannels_DepositOverflow.selector, id, DEPOSIT, type(uint96).max
            )
        );
        vm.prank(payer.addr);
        channels.topUp(id, type(uint96).max);
    }

    function test_TopUp_RevertWhen_AllowanceIsMissing() public {
        bytes32 id = openChannel();
        vm.expectPartialRevert(IERC20Errors.ERC20InsufficientAllowance.selector);
        channels.topUp(id, 1 ether);
    }

    // ---------------------------------------------------------------- topUpWithPermit

    function test_TopUpWithPermit_NeedsNoApproval() public {
        bytes32 id = openChannel();
        Account memory fresh = account("fresh");
        token.faucet(fresh.addr, 1 ether);
        PermitSignature memory permit = permitFor(fresh, 1 ether, block.timestamp);
        vm.prank(fresh.addr);
        channels.topUpWithPermit(id, 1 ether, permit);
        vm.assertEq(stateOf(id).deposit, DEPOSIT + 1 ether);
    }

    function test_TopUpWithPermit_RevertWhen_PermitFailsAndAllowanceIsShort() public {
        bytes32 id = openChannel();
        Account memory fresh = account("fresh");
        PermitSignature memory permit = permitFor(fresh, 1 ether, block.timestamp - 1);
        vm.expectRevert(
            abi.encodeWithSelector(IPaymentChannels.PaymentChannels_PermitFailed.selector, 0, 1 ether)
        );
        vm.prank(fresh.addr);
        channels.topUpWithPermit(id, 1 ether, permit);
    }

    // ---------------------------------------------------------------- helpers

    function expectAlreadyOpened(bytes32 id, IPaymentChannels.ChannelStatus status) private {
        vm.expectRevert(
            abi.encodeWithSelector(IPaymentChannels.PaymentChannels_AlreadyOpened.selector, id, status)
        );
        openChannel();
    }

    function expectTopUpRefused(bytes32 id, IPaymentChannels.ChannelStatus status) private {
        vm.expectRevert(
            abi.encodeWithSelector(IPaymentChannels.PaymentChannels_WrongStatus.selector, id, status)
        );
        vm.prank(payer.addr);
        channels.topUp(id, 1 ether);
    }

    function pair(bytes32 a, bytes32 b) private pure returns (bytes32[] memory ids) {
        ids = new bytes32[](2);
        (ids[0], ids[1]) = (a, b);
    }
}
