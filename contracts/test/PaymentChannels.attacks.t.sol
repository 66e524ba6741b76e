// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPaymentChannels} from "../interfaces/IPaymentChannels.sol";
import {ChannelsFixture} from "./support/ChannelsFixture.sol";

/// @dev Says yes to every signature, as a contract wallet may (ERC-1271).
contract AgreeableWallet {
    function isValidSignature(bytes32, bytes calldata) external pure returns (bytes4) {
        return 0x1626ba7e;
    }
}

/// @dev Known ways to rob or to stall a payment channel, each by its name. Listed in PaymentChannels.tree.
contract PaymentChannelsAttacksTest is ChannelsFixture {
    bytes32 private id;

    function setUp() public override {
        super.setUp();
        id = openChannel();
    }

    /// @dev The payer keeps blocks full from its request until far beyond the end of the thaw.
    function test_Attack_BlockStuffing_ClaimsCountUntilThePayerWithdraws() public {
        requestAndStuffBlocks();
        IPaymentChannels.ChannelClaim[] memory items = new IPaymentChannels.ChannelClaim[](1);
        items[0] = item(descriptor(), claimFor(20 ether));
        vm.assertEq(channels.settle(descriptor(), claimFor(10 ether)), net(10 ether));
        vm.assertEq(channels.settleMany(payee.addr, items), net(10 ether));
        vm.prank(payer.addr);
        vm.assertEq(channels.withdraw(descriptor()), DEPOSIT - 20 ether);
        IPaymentChannels.Claim memory late = claimFor(30 ether);
        vm.expectRevert(
            abi.encodeWithSelector(
                IPaymentChannels.PaymentChannels_WrongStatus.selector,
                id,
                IPaymentChannels.ChannelStatus.Closed
            )
        );
        channels.settle(descriptor(), late);
    }

    function test_Attack_BlockStuffing_ThePayeeStillClosesWithItsLastClaim() public {
        requestAndStuffBlocks();
        IPaymentChannels.Claim memory last = claimFor(DEPOSIT);
        vm.prank(payee.addr);
        vm.assertEq(channels.close(descriptor(), last), net(DEPOSIT));
        vm.assertEq(channels.refundOf(payer.addr), 0);
    }

    /// @dev Somebody settles one unit of each item just before the batch.
    function test_Attack_DustClaims_TakeNothingFromABatch() public {
        IPaymentChannels.ChannelClaim[] memory items = new IPaymentChannels.ChannelClaim[](3);
        for (uint256 i = 0; i < items.length; ++i) {
            bytes32 itemId = openChannel(payer.addr, bytes32(i), DEPOSIT);
            IPaymentChannels.ChannelDescriptor memory d = descriptorOf(payer.addr, bytes32(i));
            items[i] = item(d, claimFor(itemId, 10 ether));
            IPaymentChannels.Claim memory dust = claimFor(itemId, 1);
            vm.prank(stranger.addr);
            channels.settle(d, dust);
        }
        channels.settleMany(payee.addr, items);
        vm.assertEq(token.balanceOf(payee.addr), 3 * net(10 ether));
    }

    /// @dev Somebody settles the closing's own claim, and adds one unit, just before it.
    function test_Attack_DustClaimsAndDeposits_DoNotStopAClosing() public {
        IPaymentChannels.Claim memory claim = claimFor(10 ether);
        vm.startPrank(stranger.addr);
        channels.settle(descriptor(), claim);
        channels.topUp(id, 1);
        vm.stopPrank();
        vm.prank(payee.addr);
        channels.close(descriptor(), claim);
        vm.assertEq(token.balanceOf(payee.addr), net(10 ether));
        vm.assertEq(channels.refundOf(payer.addr), DEPOSIT + 1 - 10 ether);
    }

    /// @dev Nobody can hold a payer in its channel by adding to it.
    function test_Attack_DustDeposits_DoNotMoveTheEndOfTheThaw() public {
        vm.prank(stranger.addr);
        channels.topUp(id, 1);
        vm.prank(payer.addr);
        channels.requestClose(descriptor());
        uint256 closeAt = stateOf(id).closeAt;
        vm.expectRevert(
            abi.encodeWithSelector(
                IPaymentChannels.PaymentChannels_WrongStatus.selector,
                id,
                IPaymentChannels.ChannelStatus.Closing
            )
        );
        vm.prank(stranger.addr);
        channels.topUp(id, 1);
        vm.assertEq(stateOf(id).closeAt, closeAt);
        vm.warp(closeAt);
        vm.prank(payer.addr);
        vm.assertEq(channels.withdraw(descriptor()), DEPOSIT + 1);
    }

    /// @dev A payer that changes its signer opens another channel: vouchers of either count in their own only.
    function test_Attack_SignerChange_NoVoucherCountsTwice() public {
        vm.prank(payer.addr);
        bytes32 nextId = channels.open(payee.addr, stranger.addr, SALT, DEPOSIT);
        IPaymentChannels.ChannelDescriptor memory next = descriptor();
        next.signer = stranger.addr;
        IPaymentChannels.Claim memory old = claimFor(10 ether);
        channels.settle(descriptor(), old);
        expectInvalidSignature(nextId, next, old);
        expectInvalidSignature(nextId, next, claimFor(nextId, 10 ether));
        vm.assertEq(channels.settle(next, signed(old, nextId, stranger.key)), net(10 ether));
    }

    /// @dev A payer signs more to a payee of its own than it gave it: the deposits of other payees are not there to take.
    function test_Attack_SelfOwnedPayee_TakesNothingFromAnothersDeposit() public {
        vm.prank(payer.addr);
        bytes32 ownId = channels.open(stranger.addr, signer.addr, SALT, 1);
        IPaymentChannels.ChannelDescriptor memory own = descriptor();
        own.payee = stranger.addr;
        IPaymentChannels.Claim memory greedy = claimFor(ownId, DEPOSIT);
        vm.expectRevert(
            abi.encodeWithSelector(
                IPaymentChannels.PaymentChannels_ExceedsDeposit.selector, ownId, uint256(DEPOSIT), uint256(1)
            )
        );
        channels.settle(own, greedy);
        vm.assertEq(channels.settle(descriptor(), claimFor(DEPOSIT)), net(DEPOSIT));
    }

    /// @dev Somebody opens and leaves a hundred channels of one unit: nobody else's are kept waiting.
    function test_Attack_Crowd_KeepsNobodyWaiting() public {
        for (uint256 i = 0; i < 100; ++i) {
            bytes32 salt = bytes32(i);
            openChannel(stranger.addr, salt, 1);
            vm.prank(stranger.addr);
            channels.requestClose(descriptorOf(stranger.addr, salt));
        }
        vm.assertEq(channels.settle(descriptor(), claimFor(10 ether)), net(10 ether));
        vm.prank(payer.addr);
        channels.requestClose(descriptor());
        vm.warp(block.timestamp + THAW);
        vm.prank(payer.addr);
        vm.assertEq(channels.withdraw(descriptor()), DEPOSIT - 10 ether);
    }

    /// @dev A signer that is a contract could change its mind; it is not asked, and no voucher of it counts.
    function test_Attack_ContractSigner_IsNeverAsked() public {
        IPaymentChannels.ChannelDescriptor memory d = descriptor();
        d.signer = address(new AgreeableWallet());
        vm.prank(payer.addr);
        bytes32 walletId = channels.open(payee.addr, d.signer, SALT, DEPOSIT);
        expectInvalidSignature(walletId, d, claimFor(walletId, 10 ether));
        IPaymentChannels.Claim memory unsigned = claimFor(walletId, 10 ether);
        (unsigned.r, unsigned.vs) = (0, 0);
        expectInvalidSignature(walletId, d, unsigned);
    }

    function requestAndStuffBlocks() private {
        vm.prank(payer.addr);
        channels.requestClose(descriptor());
        vm.warp(block.timestamp + THAW + 365 days);
    }

    function expectInvalidSignature(
        bytes32 channelId,
        IPaymentChannels.ChannelDescriptor memory d,
        IPaymentChannels.Claim memory claim
    ) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IPaymentChannels.PaymentChannels_InvalidSignature.selector, channelId, d.signer
            )
        );
        channels.settle(d, claim);
    }
}
