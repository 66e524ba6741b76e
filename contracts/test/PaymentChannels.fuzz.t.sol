// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPaymentChannels} from "../interfaces/IPaymentChannels.sol";
import {ChannelsFixture} from "./support/ChannelsFixture.sol";

/// @dev Claims with arbitrary numbers.
contract PaymentChannelsFuzzTest is ChannelsFixture {
    bytes32 private id;

    function setUp() public override {
        super.setUp();
        id = openChannel();
    }

    function testFuzz_Settle_InAnySteps_PaysAsOneStep(uint256[5] memory steps) public {
        uint256 total;
        for (uint256 i = 0; i < steps.length; ++i) {
            uint256 next = total + within(steps[i], 0, DEPOSIT / 5);
            if (next == total) continue;
            total = next;
            channels.settle(descriptor(), claimFor(uint128(total)));
        }
        vm.assertEq(token.balanceOf(payee.addr), net(total));
        vm.assertEq(stateOf(id).settled, total);
    }

    function testFuzz_Settle_Ticks(uint256 cumulative, uint256 value, uint256 count) public {
        uint64 tickValue = uint64(within(value, 0, 1 ether));
        uint8 tickCount = uint8(within(count, 0, 64));
        uint128 base = uint128(within(cumulative, 1, DEPOSIT - 64 ether));
        channels.settle(descriptor(), tickClaim(base, tickValue, tickCount));
        vm.assertEq(stateOf(id).settled, base + uint256(tickCount) * tickValue);
    }

    /// @dev Whatever the claim says, the channel never gives more than its deposit, and refusals change nothing.
    function testFuzz_Settle_AnyNumbers(uint128 cumulative, uint64 value, uint8 count) public {
        IPaymentChannels.Claim memory claim = tickClaim(cumulative, value, uint8(within(count, 0, 65)));
        (bytes4 reason, uint256 paid,) = channels.previewSettle(descriptor(), claim);
        uint256 before = token.balanceOf(payee.addr);
        (bool ok, bytes memory answer) =
            address(channels).call(abi.encodeCall(channels.settle, (descriptor(), claim)));
        vm.assertEq(ok, reason == 0);
        if (!ok) vm.assertEq(bytes32(bytes4(answer)), bytes32(reason));
        vm.assertEq(token.balanceOf(payee.addr) - before, ok ? paid : 0);
        vm.assertLe(stateOf(id).settled, DEPOSIT);
    }

    /// @dev One flipped bit anywhere in the signed part or the signature, and the claim is worth nothing.
    function testFuzz_Settle_RevertWhen_OneBitIsFlipped(uint256 position) public {
        IPaymentChannels.Claim memory claim = tickClaim(10 ether, 1 ether, 0);
        uint256 bit = within(position, 0, 128 + 256 + 64 + 256 + 256 - 1);
        if (bit < 128) {
            claim.cumulative ^= uint128(1 << bit);
        } else if (bit < 384) {
            claim.tickAnchor ^= bytes32(1 << (bit - 128));
        } else if (bit < 448) {
            claim.tickValue ^= uint64(1 << (bit - 384));
        } else if (bit < 704) {
            claim.r ^= bytes32(1 << (bit - 448));
        } else {
            claim.vs ^= bytes32(1 << (bit - 704));
        }
        (bool ok,) = address(channels).call(abi.encodeCall(channels.settle, (descriptor(), claim)));
        vm.assertFalse(ok);
        vm.assertEq(token.balanceOf(payee.addr), 0);
    }

    function testFuzz_Settle_RevertWhen_SignedByAnyOtherKey(uint256 key) public {
        key = within(key, 1, 2 ** 128);
        vm.assume(key != signer.key);
        IPaymentChannels.Claim memory claim = signed(claimFor(1 ether), id, key);
        vm.expectPartialRevert(IPaymentChannels.PaymentChannels_InvalidSignature.selector);
        channels.settle(descriptor(), claim);
    }

    /// @dev A batch does what its items do one by one, good and bad alike.
    function testFuzz_SettleMany_EqualsSingles(uint256[4] memory totals, uint8 broken) public {
        IPaymentChannels.ChannelClaim[] memory items = new IPaymentChannels.ChannelClaim[](4);
        uint256 expected;
        for (uint256 i = 0; i < 4; ++i) {
            IPaymentChannels.ChannelDescriptor memory d = descriptorOf(payer.addr, bytes32(i));
            bytes32 channelId = openChannel(payer.addr, bytes32(i), DEPOSIT);
            uint256 total = within(totals[i], 0, DEPOSIT + DEPOSIT / 4);
            items[i] = item(d, claimFor(channelId, uint128(total)));
            if (broken & (1 << i) != 0) items[i].claim.r ^= bytes32(uint256(1));
            (bytes4 reason, uint256 paid,) = channels.previewSettle(d, items[i].claim);
            if (reason == 0) expected += paid;
        }
        vm.assertEq(channels.settleMany(payee.addr, items), expected);
        vm.assertEq(token.balanceOf(payee.addr), expected);
    }

    /// @dev However a channel ends, payer, payee and sink together get the deposit, to the unit.
    function testFuzz_Ending_SharesOutTheDeposit(uint256 first, uint256 last, bool byPayee) public {
        uint256 settled = within(first, 1, DEPOSIT);
        channels.settle(descriptor(), claimFor(uint128(settled)));
        uint256 payerBefore = token.balanceOf(payer.addr);
        if (byPayee) {
            settled = within(last, settled, DEPOSIT);
            IPaymentChannels.Claim memory claim = claimFor(uint128(settled));
            vm.prank(payee.addr);
            channels.close(descriptor(), claim);
            if (settled < DEPOSIT) channels.withdrawRefund(payer.addr);
        } else {
            vm.startPrank(payer.addr);
            channels.requestClose(descriptor());
            vm.warp(block.timestamp + THAW);
            channels.withdraw(descriptor());
            vm.stopPrank();
        }
        vm.assertEq(token.balanceOf(payer.addr) - payerBefore, DEPOSIT - settled);
        vm.assertEq(token.balanceOf(payee.addr), net(settled));
        vm.assertEq(token.balanceOf(address(channels)), channels.burnAccrued());
        vm.assertEq(channels.burnAccrued(), burnShare(settled));
    }
}
