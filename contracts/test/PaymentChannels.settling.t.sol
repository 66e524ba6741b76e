// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPaymentChannels} from "../interfaces/IPaymentChannels.sol";
import {ChannelsFixture} from "./support/ChannelsFixture.sol";

/// @dev settle, previewSettle, hashVoucher. Branches in PaymentChannels.tree.
contract PaymentChannelsSettlingTest is ChannelsFixture {
    uint256 private constant ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    bytes32 private id;

    function setUp() public override {
        super.setUp();
        id = openChannel();
    }

    // ---------------------------------------------------------------- a good claim

    function test_Settle_PaysTheTotalLessTheBurntShare() public {
        vm.expectEmit();
        emit IPaymentChannels.Settled(id, payee.addr, 40 ether, 40 ether, burnShare(40 ether));
        vm.assertEq(channels.settle(descriptor(), claimFor(40 ether)), net(40 ether));
        vm.assertEq(token.balanceOf(payee.addr), net(40 ether));
        vm.assertEq(stateOf(id).settled, 40 ether);
        vm.assertEq(token.balanceOf(address(channels)), DEPOSIT - net(40 ether));
    }

    function test_Settle_PaysOnlyTheGrowth() public {
        channels.settle(descriptor(), claimFor(40 ether));
        vm.expectEmit();
        emit IPaymentChannels.Settled(id, payee.addr, 50 ether, 10 ether, burnShare(10 ether));
        vm.assertEq(channels.settle(descriptor(), claimFor(50 ether)), net(10 ether));
        vm.assertEq(token.balanceOf(payee.addr), net(50 ether));
    }

    function test_Settle_ByAnyone_PaysThePayee() public {
        vm.prank(stranger.addr);
        channels.settle(descriptor(), claimFor(1 ether));
        vm.assertEq(token.balanceOf(payee.addr), net(1 ether));
    }

    function test_Settle_TheWholeDeposit() public {
        channels.settle(descriptor(), claimFor(uint128(DEPOSIT)));
        vm.assertEq(stateOf(id).settled, DEPOSIT);
        assertStatus(id, IPaymentChannels.ChannelStatus.Open);
    }

    function test_Settle_WhileClosing() public {
        vm.prank(payer.addr);
        channels.requestClose(descriptor());
        channels.settle(descriptor(), claimFor(1 ether));
        vm.assertEq(token.balanceOf(payee.addr), net(1 ether));
        assertStatus(id, IPaymentChannels.ChannelStatus.Closing);
    }

    function test_Settle_AfterTheThawUntilThePayerWithdraws() public {
        vm.prank(payer.addr);
        channels.requestClose(descriptor());
        vm.warp(block.timestamp + 100 * THAW);
        channels.settle(descriptor(), claimFor(1 ether));
        vm.assertEq(token.balanceOf(payee.addr), net(1 ether));
    }

    function test_Settle_OneUnitBurnsAtLeastNothingAndPaysAtMostIt() public {
        vm.assertEq(channels.settle(descriptor(), claimFor(1)), 1);
    }

    function test_Settle_AClaimThatIsAllBurntPaysNothing() public {
        channels.settle(descriptor(), claimFor(99));
        // The hundredth unit is the first that the one percent takes.
        vm.assertEq(channels.settle(descriptor(), claimFor(100)), 0);
        vm.assertEq(stateOf(id).settled, 100);
        vm.assertEq(token.balanceOf(payee.addr), 99);
    }

    function test_Settle_ManySmallClaimsBurnAsMuchAsOneLarge() public {
        for (uint128 total = 1; total <= 250; ++total) {
            channels.settle(descriptor(), claimFor(total));
        }
        vm.assertEq(token.balanceOf(payee.addr), net(250));
    }

    // ---------------------------------------------------------------- ticks

    function test_Settle_WithTicks() public {
        channels.settle(descriptor(), tickClaim(10 ether, 1 ether, 5));
        vm.assertEq(stateOf(id).settled, 15 ether);
    }

    function test_Settle_WithAsManyTicksAsAllowed() public {
        channels.settle(descriptor(), tickClaim(10 ether, 1 ether, 64));
        vm.assertEq(stateOf(id).settled, 74 ether);
    }

    function test_Settle_TicksGrowUnderOneVoucher() public {
        channels.settle(descriptor(), tickClaim(10 ether, 1 ether, 5));
        channels.settle(descriptor(), tickClaim(10 ether, 1 ether, 6));
        vm.assertEq(stateOf(id).settled, 16 ether);
    }

    function test_Settle_WithoutTicksIgnoresThePreimage() public {
        IPaymentChannels.Claim memory claim = tickClaim(10 ether, 1 ether, 0);
        claim.tickPreimage = "anything";
        channels.settle(descriptor(), claim);
        vm.assertEq(stateOf(id).settled, 10 ether);
    }

    function test_Settle_RevertWhen_TooManyTicks() public {
        IPaymentChannels.Claim memory claim = tickClaim(1 ether, 1 ether, 65);
        expectRefusal(
            claim,
            abi.encodeWithSelector(IPaymentChannels.PaymentChannels_TooManyTicks.selector, id, 65, 64)
        );
    }

    function test_Settle_RevertWhen_PreimageIsForAnotherCount() public {
        IPaymentChannels.Claim memory claim = tickClaim(1 ether, 1 ether, 5);
        claim.tickCount = 6;
        expectRefusal(
            claim, abi.encodeWithSelector(IPaymentChannels.PaymentChannels_TickMismatch.selector, id, 6)
        );
    }

    function test_Settle_RevertWhen_PreimageIsMadeUp() public {
        IPaymentChannels.Claim memory claim = tickClaim(1 ether, 1 ether, 5);
        claim.tickPreimage = "made up";
        expectRefusal(
            claim, abi.encodeWithSelector(IPaymentChannels.PaymentChannels_TickMismatch.selector, id, 5)
        );
    }

    function test_Settle_RevertWhen_TickValueWasRaised() public {
        IPaymentChannels.Claim memory claim = tickClaim(1 ether, 1 ether, 5);
        claim.tickValue = 2 ether;
        expectBadSignature(claim);
    }

    function test_Settle_RevertWhen_AnchorWasReplaced() public {
        bytes32[] memory chain = tickChain("mine");
        IPaymentChannels.Claim memory claim = tickClaim(1 ether, 1 ether, 0);
        (claim.tickAnchor, claim.tickPreimage, claim.tickCount) = (chain[0], chain[5], 5);
        expectBadSignature(claim);
    }

    // ---------------------------------------------------------------- totals

    function test_Settle_RevertWhen_TheSameVoucherAgain() public {
        IPaymentChannels.Claim memory claim = claimFor(40 ether);
        channels.settle(descriptor(), claim);
        expectNotGrowing(claim, 40 ether, 40 ether);
    }

    function test_Settle_RevertWhen_TheTotalFell() public {
        channels.settle(descriptor(), claimFor(40 ether));
        expectNotGrowing(claimFor(39 ether), 39 ether, 40 ether);
    }

    function test_Settle_RevertWhen_TheTotalIsZero() public {
        expectNotGrowing(claimFor(0), 0, 0);
    }

    function test_Settle_RevertWhen_TheTotalIsAboveTheDeposit_AndPaysNothing() public {
        IPaymentChannels.Claim memory claim = claimFor(uint128(DEPOSIT) + 1);
        expectRefusal(
            claim,
            abi.encodeWithSelector(
                IPaymentChannels.PaymentChannels_ExceedsDeposit.selector, id, DEPOSIT + 1, DEPOSIT
            )
        );
        vm.assertEq(token.balanceOf(payee.addr), 0);
        // The voucher is not used up: after a top-up it is worth its whole total.
        vm.prank(payer.addr);
        channels.topUp(id, 1);
        vm.assertEq(channels.settle(descriptor(), claim), net(DEPOSIT + 1));
    }

    function test_Settle_RevertWhen_TicksLiftTheTotalAboveTheDeposit() public {
        IPaymentChannels.Claim memory claim = tickClaim(uint128(DEPOSIT) - 1 ether, 1 ether, 2);
        expectRefusal(
            claim,
            abi.encodeWithSelector(
                IPaymentChannels.PaymentChannels_ExceedsDeposit.selector, id, DEPOSIT + 1 ether, DEPOSIT
            )
        );
    }

    function test_Settle_RevertWhen_TheNumbersAreAsLargeAsTheyGo() public {
        IPaymentChannels.Claim memory claim = tickClaim(type(uint128).max, type(uint64).max, 0);
        claim.tickCount = 255;
        expectRefusal(
            claim,
            abi.encodeWithSelector(
                IPaymentChannels.PaymentChannels_ExceedsDeposit.selector,
                id,
                uint256(type(uint128).max) + 255 * uint256(type(uint64).max),
                DEPOSIT
            )
        );
    }

    /// @dev Somebody settles an older voucher first: the newer one still pays the rest, so nothing is lost.
    function test_Settle_AnOlderClaimFirstTakesNothingAway() public {
        IPaymentChannels.Claim memory newest = claimFor(50 ether);
        vm.prank(stranger.addr);
        channels.settle(descriptor(), claimFor(1));
        channels.settle(descriptor(), newest);
        vm.assertEq(token.balanceOf(payee.addr), net(50 ether));
    }

    // ---------------------------------------------------------------- status

    function test_Settle_RevertWhen_NeverOpened() public {
        IPaymentChannels.ChannelDescriptor memory other = descriptorOf(payer.addr, "other");
        bytes32 otherId = idOf(other);
        expectWrongStatus(other, claimFor(otherId, 1 ether), IPaymentChannels.ChannelStatus.None);
    }

    function test_Settle_RevertWhen_ClosedByThePayee() public {
        vm.prank(payee.addr);
        channels.close(descriptor(), claimFor(1 ether));
        expectWrongStatus(descriptor(), claimFor(2 ether), IPaymentChannels.ChannelStatus.Closed);
    }

    function test_Settle_RevertWhen_Withdrawn() public {
        vm.startPrank(payer.addr);
        channels.requestClose(descriptor());
        vm.warp(block.timestamp + THAW);
        channels.withdraw(descriptor());
        vm.stopPrank();
        expectWrongStatus(descriptor(), claimFor(2 ether), IPaymentChannels.ChannelStatus.Closed);
    }

    // ---------------------------------------------------------------- signatures

    function test_Settle_RevertWhen_SignedByThePayer() public {
        expectBadSignature(signed(claimFor(1 ether), id, payer.key));
    }

    function test_Settle_RevertWhen_TheTotalWasRaised() public {
        IPaymentChannels.Claim memory claim = claimFor(1 ether);
        claim.cumulative = 2 ether;
        expectBadSignature(claim);
    }

    function test_Settle_RevertWhen_SignedForAnotherChannel() public {
        bytes32 other = openChannel(payer.addr, "other", DEPOSIT);
        expectBadSignature(claimFor(other, 1 ether));
    }

    /// @dev A channel with another signer is another channel: the payer cannot re-point an old voucher.
    function test_Settle_RevertWhen_TheDescriptorNamesAnotherSigner() public {
        IPaymentChannels.ChannelDescriptor memory other = descriptor();
        other.signer = stranger.addr;
        bytes32 otherId = idOf(other);
        expectWrongStatus(
            other, signed(claimFor(1 ether), otherId, stranger.key), IPaymentChannels.ChannelStatus.None
        );
    }

    function test_Settle_RevertWhen_SignedForAnotherContract() public {
        IPaymentChannels twin = deployChannels(address(token), THAW, BURN_BPS);
        bytes32 twinId = twin.channelIdOf(descriptor());
        vm.assertTrue(twinId != id);
        IPaymentChannels.Claim memory claim = noClaim();
        claim.cumulative = 1 ether;
        // Even for this channel's id, the other contract's domain gives another digest.
        bytes32 digest = digestOf(address(twin), IPaymentChannels.Voucher(id, 1 ether, 0, 0));
        (claim.r, claim.vs) = compact(signer.key, digest);
        expectBadSignature(claim);
    }

    /// @dev After a fork of the chain with another id, old channels do not exist and old vouchers do not count.
    function test_Settle_RevertWhen_OnAnotherChain() public {
        IPaymentChannels.Claim memory claim = claimFor(1 ether);
        vm.chainId(block.chainid + 1);
        bytes32 otherId = channels.channelIdOf(descriptor());
        vm.assertTrue(otherId != id);
        vm.expectRevert(
            abi.encodeWithSelector(
                IPaymentChannels.PaymentChannels_WrongStatus.selector,
                otherId,
                IPaymentChannels.ChannelStatus.None
            )
        );
        channels.settle(descriptor(), claim);
        openChannel();
        vm.expectRevert(
            abi.encodeWithSelector(
                IPaymentChannels.PaymentChannels_InvalidSignature.selector, otherId, signer.addr
            )
        );
        channels.settle(descriptor(), claim);
    }

    /// @dev n - s with the other parity recovers to the same signer; only the low twin is taken.
    function test_Settle_RevertWhen_TheSignatureIsTheMalleableTwin() public {
        IPaymentChannels.Claim memory claim = claimFor(1 ether);
        uint256 s = uint256(claim.vs) & (type(uint256).max >> 1);
        uint256 parity = uint256(claim.vs) >> 255;
        // A high s reaches into the parity bit or stays below it; both must be refused.
        claim.vs = bytes32((ORDER - s) | ((1 - parity) << 255));
        expectBadSignature(claim);
    }

    function test_Settle_RevertWhen_SIsJustAboveHalfTheOrder() public {
        IPaymentChannels.Claim memory claim = claimFor(1 ether);
        claim.vs = bytes32(ORDER / 2 + 1);
        expectBadSignature(claim);
    }

    function test_Settle_RevertWhen_TheSignatureIsEmpty() public {
        IPaymentChannels.Claim memory claim = claimFor(1 ether);
        (claim.r, claim.vs) = (0, 0);
        expectBadSignature(claim);
    }

    function test_Settle_RevertWhen_TheParityIsFlipped() public {
        IPaymentChannels.Claim memory claim = claimFor(1 ether);
        claim.vs ^= bytes32(uint256(1) << 255);
        expectBadSignature(claim);
    }

    /// @dev Dirty high bits of narrow fields would let two encodings mean one claim; the decoder refuses them.
    function test_Settle_RevertWhen_CalldataHasDirtyBits() public {
        bytes memory call = abi.encodeCall(IPaymentChannels.settle, (descriptor(), claimFor(1 ether)));
        for (uint256 word = 0; word < 8; ++word) {
            if (word == 3 || word == 5 || word == 7) continue; // full words
            bytes memory dirty = bytes.concat(call);
            dirty[4 + 32 * word] = 0xff;
            (bool ok,) = address(channels).call(dirty);
            vm.assertFalse(ok);
        }
        (bool clean,) = address(channels).call(call);
        vm.assertTrue(clean);
    }

    // ---------------------------------------------------------------- preview

    function test_Preview_SaysWhatSettleDoes() public {
        (bytes4 reason, uint256 paid, uint256 burnt) =
            channels.previewSettle(descriptor(), claimFor(40 ether));
        vm.assertEq(bytes32(reason), bytes32(0));
        vm.assertEq(burnt, burnShare(40 ether));
        vm.assertEq(channels.settle(descriptor(), claimFor(40 ether)), paid);
    }

    function test_Preview_SaysWhySettleWouldRefuse() public view {
        (bytes4 reason, uint256 paid, uint256 burnt) =
            channels.previewSettle(descriptor(), claimFor(uint128(DEPOSIT) + 1));
        vm.assertEq(
            bytes32(reason), bytes32(IPaymentChannels.PaymentChannels_ExceedsDeposit.selector)
        );
        vm.assertEq(paid + burnt, 0);
    }

    // ---------------------------------------------------------------- hashes

    function test_Hash_IsEip712() public view {
        vm.assertEq(
            channels.hashVoucher(IPaymentChannels.Voucher(id, 7, "anchor", 9)),
            digestOf(address(channels), IPaymentChannels.Voucher(id, 7, "anchor", 9))
        );
        bytes32 separator = keccak256(
            abi.encode(
                keccak256(
                    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
                ),
                keccak256("Postrider PaymentChannels"),
                keccak256("1"),
                block.chainid,
                address(channels)
            )
        );
        vm.assertEq(channels.domainSeparator(), separator);
        vm.assertEq(
            channels.VOUCHER_TYPEHASH(),
            keccak256("Voucher(bytes32 channelId,uint128 cumulative,bytes32 tickAnchor,uint64 tickValue)")
        );
    }

    // ---------------------------------------------------------------- helpers

    function expectRefusal(IPaymentChannels.Claim memory claim, bytes memory reason) private {
        vm.expectRevert(reason);
        channels.settle(descriptor(), claim);
        (bytes4 previewed,,) = channels.previewSettle(descriptor(), claim);
        vm.assertEq(bytes32(previewed), bytes32(bytes4(reason)));
    }

    function expectNotGrowing(IPaymentChannels.Claim memory claim, uint256 total, uint256 settled) private {
        expectRefusal(
            claim,
            abi.encodeWithSelector(
                IPaymentChannels.PaymentChannels_NotGrowing.selector, id, total, settled
            )
        );
    }

    function expectBadSignature(IPaymentChannels.Claim memory claim) private {
        expectRefusal(
            claim,
            abi.encodeWithSelector(
                IPaymentChannels.PaymentChannels_InvalidSignature.selector, id, signer.addr
            )
        );
    }

    function expectWrongStatus(
        IPaymentChannels.ChannelDescriptor memory d,
        IPaymentChannels.Claim memory claim,
        IPaymentChannels.ChannelStatus status
    ) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IPaymentChannels.PaymentChannels_WrongStatus.selector, idOf(d), status
            )
        );
        channels.settle(d, claim);
    }
}
