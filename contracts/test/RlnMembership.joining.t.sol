// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPostToken} from "../interfaces/IPostToken.sol";
import {IRlnMembership} from "../interfaces/IRlnMembership.sol";
import {PermitSignature} from "../interfaces/PermitSignature.sol";
import {MembershipFixture} from "./support/MembershipFixture.sol";
import {FeeToken} from "./support/Tokens.sol";

/// @dev Deployment, register, leaveGroup, withdraw, flushBurn. Branches in RlnMembership.tree.
contract RlnMembershipJoiningTest is MembershipFixture {
    // ---------------------------------------------------------------- constructor

    function test_Deploy_FixesParameters() public view {
        (address token_, uint256 price, uint256 burnBps, uint256 slashBurnBps, uint256 freeze) =
            membership.parameters();
        vm.assertEq(token_, address(token));
        vm.assertEq(price, PRICE);
        vm.assertEq(burnBps, BURN_BPS);
        vm.assertEq(slashBurnBps, SLASH_BURN_BPS);
        vm.assertEq(freeze, FREEZE);
        vm.assertEq(membership.FIELD_MODULUS(), P);
        vm.assertEq(membership.CAPACITY(), 1 << 20);
        vm.assertEq(membership.accumulator(), bytes32(0));
    }

    function test_Deploy_RevertWhen_TokenHasNoCode() public {
        vm.expectRevert(
            abi.encodeWithSelector(IRlnMembership.RlnMembership_InvalidToken.selector, stranger)
        );
        deployMembership(stranger);
    }

    function test_Deploy_RevertWhen_AParameterIsOutOfBounds() public {
        uint256 maxPrice = uint256(type(uint96).max) / type(uint16).max;
        expectInvalid("pricePerMessage", 0, 1, maxPrice);
        deployMembership(address(token), 0, BURN_BPS, SLASH_BURN_BPS, FREEZE);
        expectInvalid("pricePerMessage", maxPrice + 1, 1, maxPrice);
        deployMembership(address(token), maxPrice + 1, BURN_BPS, SLASH_BURN_BPS, FREEZE);
        expectInvalid("burnBps", 5_001, 0, 5_000);
        deployMembership(address(token), PRICE, 5_001, SLASH_BURN_BPS, FREEZE);
        expectInvalid("slashBurnBps", 4_999, 5_000, 10_000);
        deployMembership(address(token), PRICE, BURN_BPS, 4_999, FREEZE);
        expectInvalid("slashBurnBps", 10_001, 5_000, 10_000);
        deployMembership(address(token), PRICE, BURN_BPS, 10_001, FREEZE);
        expectInvalid("freezeSeconds", 0, 1, 365 days);
        deployMembership(address(token), PRICE, BURN_BPS, SLASH_BURN_BPS, 0);
        expectInvalid("freezeSeconds", 365 days + 1, 1, 365 days);
        deployMembership(address(token), PRICE, BURN_BPS, SLASH_BURN_BPS, 365 days + 1);
    }

    // ---------------------------------------------------------------- register

    function test_Register_TakesTheDepositAndGivesAnIndex() public {
        bytes32 acc = fold(0, 0, commitment, LIMIT);
        vm.expectEmit();
        emit IRlnMembership.MembershipChanged(0, commitment, LIMIT, acc);
        vm.expectEmit();
        emit IRlnMembership.MemberRegistered(
            commitment, owner, owner, 0, LIMIT, depositOf(LIMIT), burntOf(LIMIT)
        );
        vm.assertEq(register(), 0);

        IRlnMembership.Member memory entry = membership.member(commitment);
        vm.assertEq(entry.owner, owner);
        vm.assertEq(entry.index, 0);
        vm.assertEq(entry.limit, LIMIT);
        vm.assertEq(entry.withdrawableAt, 0);
        assertStatus(IRlnMembership.MemberStatus.Active);
        vm.assertEq(membership.accumulator(), acc);
        (bytes32 acc_, uint256 nextIndex) = membership.state();
        vm.assertEq(acc_, acc);
        vm.assertEq(nextIndex, 1);
        vm.assertEq(token.balanceOf(address(membership)), LIMIT * PRICE);
        vm.assertEq(membership.burnAccrued(), burntOf(LIMIT));
    }

    function test_Register_ForSomebodyElse() public {
        vm.prank(stranger);
        membership.register(commitment, LIMIT, owner);
        vm.assertEq(membership.member(commitment).owner, owner);
        vm.assertEq(token.balanceOf(stranger), 1_000_000 ether - LIMIT * PRICE);
        vm.assertEq(token.balanceOf(owner), 1_000_000 ether);
    }

    function test_Register_IndexesGrowAndTheHashFolds() public {
        bytes32 acc;
        for (uint256 i = 0; i < 4; ++i) {
            acc = fold(acc, i, 1_000 + i, i + 1);
            vm.assertEq(register(1_000 + i, uint32(i + 1)), i);
        }
        vm.assertEq(membership.accumulator(), acc);
    }

    function test_Register_TheSmallestAndTheLargest() public {
        register(1, 1);
        register(P - 1, 65_535);
        vm.assertEq(membership.member(P - 1).limit, 65_535);
    }

    function test_Register_RevertWhen_CommitmentIsZeroOrNotInTheField() public {
        uint256[3] memory bad = [0, P, type(uint256).max];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(
                    IRlnMembership.RlnMembership_InvalidCommitment.selector, bad[i]
                )
            );
            register(bad[i], LIMIT);
        }
    }

    function test_Register_RevertWhen_LimitIsZeroOrTooLarge() public {
        uint32[3] memory bad = [uint32(0), 65_536, type(uint32).max];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(
                    IRlnMembership.RlnMembership_InvalidLimit.selector, bad[i], 65_535
                )
            );
            register(commitment, bad[i]);
        }
    }

    function test_Register_RevertWhen_OwnerIsZeroTokenOrThis() public {
        address[3] memory forbidden = [address(0), address(token), address(membership)];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(IRlnMembership.RlnMembership_InvalidAddress.selector, forbidden[i])
            );
            membership.register(commitment, LIMIT, forbidden[i]);
        }
    }

    function test_Register_RevertWhen_Active() public {
        register();
        expectAlreadyRegistered(IRlnMembership.MemberStatus.Active);
    }

    function test_Register_RevertWhen_Leaving() public {
        register();
        leaveAsOwner();
        expectAlreadyRegistered(IRlnMembership.MemberStatus.Leaving);
    }

    function test_Register_RevertWhen_Withdrawn() public {
        register();
        leaveAsOwner();
        vm.warp(block.timestamp + FREEZE);
        membership.withdraw(commitment);
        expectAlreadyRegistered(IRlnMembership.MemberStatus.Withdrawn);
    }

    function test_Register_RevertWhen_Slashed() public {
        register();
        slashAs(finder, SECRET);
        expectAlreadyRegistered(IRlnMembership.MemberStatus.Slashed);
    }

    function test_Register_RevertWhen_TheGroupIsFull() public {
        setNextIndex(membership.CAPACITY() - 1);
        vm.assertEq(register(), membership.CAPACITY() - 1);
        vm.expectRevert(
            abi.encodeWithSelector(IRlnMembership.RlnMembership_GroupFull.selector, 1 << 20)
        );
        register(commitment + 1, LIMIT);
    }

    function test_Register_RevertWhen_TheTokenTakesAFee() public {
        FeeToken fee = new FeeToken();
        token = IPostToken(address(fee));
        membership = deployMembership(address(fee));
        fee.mint(owner, 100 ether);
        vm.prank(owner);
        fee.approve(address(membership), 100 ether);
        vm.expectRevert(
            abi.encodeWithSelector(
                IRlnMembership.RlnMembership_InexactTransfer.selector, 1.98 ether, 2 ether
            )
        );
        register();
    }

    // ---------------------------------------------------------------- registerWithPermit

    function test_RegisterWithPermit_NeedsNoApproval() public {
        Account memory fresh = account("fresh");
        token.faucet(fresh.addr, 2 ether);
        PermitSignature memory permit = permitFor(fresh, 2 ether, block.timestamp);
        vm.prank(fresh.addr);
        membership.registerWithPermit(commitment, LIMIT, owner, permit);
        vm.assertEq(membership.member(commitment).owner, owner);
    }

    function test_RegisterWithPermit_SurvivesAFrontRunPermit() public {
        Account memory fresh = account("fresh");
        token.faucet(fresh.addr, 2 ether);
        PermitSignature memory p = permitFor(fresh, 2 ether, block.timestamp);
        token.permit(fresh.addr, address(membership), p.value, p.deadline, p.v, p.r, p.s);
        vm.prank(fresh.addr);
        membership.registerWithPermit(commitment, LIMIT, fresh.addr, p);
        assertStatus(IRlnMembership.MemberStatus.Active);
    }

    function test_RegisterWithPermit_RevertWhen_PermitFailsAndAllowanceIsShort() public {
        Account memory fresh = account("fresh");
        PermitSignature memory permit = permitFor(fresh, 2 ether, block.timestamp - 1);
        vm.expectRevert(
            abi.encodeWithSelector(IRlnMembership.RlnMembership_PermitFailed.selector, 0, 2 ether)
        );
        vm.prank(fresh.addr);
        membership.registerWithPermit(commitment, LIMIT, fresh.addr, permit);
    }

    // ---------------------------------------------------------------- leaveGroup

    function test_LeaveGroup_ErasesAtOnceAndFreezesTheDeposit() public {
        register();
        bytes32 acc = fold(membership.accumulator(), 0, 0, 0);
        vm.expectEmit();
        emit IRlnMembership.MembershipChanged(0, 0, 0, acc);
        vm.expectEmit();
        emit IRlnMembership.MemberLeft(commitment, owner, 0, block.timestamp + FREEZE);
        leaveAsOwner();
        assertStatus(IRlnMembership.MemberStatus.Leaving);
        vm.assertEq(membership.member(commitment).withdrawableAt, block.timestamp + FREEZE);
        vm.assertEq(membership.accumulator(), acc);
        vm.assertEq(token.balanceOf(address(membership)), LIMIT * PRICE);
    }

    function test_LeaveGroup_DoesNotGiveTheIndexAway() public {
        register();
        leaveAsOwner();
        vm.assertEq(register(77, LIMIT), 1);
    }

    function test_LeaveGroup_RevertWhen_NotTheOwner() public {
        register();
        vm.expectRevert(
            abi.encodeWithSelector(
                IRlnMembership.RlnMembership_Unauthorized.selector, stranger, owner
            )
        );
        vm.prank(stranger);
        membership.leaveGroup(commitment);
    }

    function test_LeaveGroup_RevertWhen_NeverRegistered() public {
        expectWrongStatus(IRlnMembership.MemberStatus.None);
        membership.leaveGroup(commitment);
    }

    function test_LeaveGroup_RevertWhen_LeftBefore() public {
        register();
        leaveAsOwner();
        expectWrongStatus(IRlnMembership.MemberStatus.Leaving);
        leaveAsOwner();
    }

    function test_LeaveGroup_RevertWhen_Slashed() public {
        register();
        slashAs(finder, SECRET);
        expectWrongStatus(IRlnMembership.MemberStatus.Slashed);
        leaveAsOwner();
    }

    // ---------------------------------------------------------------- withdraw

    function test_Withdraw_ByAnyone_PaysTheOwner() public {
        vm.prank(stranger);
        membership.register(commitment, LIMIT, owner);
        leaveAsOwner();
        vm.warp(block.timestamp + FREEZE);
        vm.expectEmit();
        emit IRlnMembership.MemberWithdrawn(commitment, owner, depositOf(LIMIT));
        vm.prank(finder);
        vm.assertEq(membership.withdraw(commitment), depositOf(LIMIT));
        vm.assertEq(token.balanceOf(owner), 1_000_000 ether + depositOf(LIMIT));
        assertStatus(IRlnMembership.MemberStatus.Withdrawn);
        vm.assertEq(token.balanceOf(address(membership)), membership.burnAccrued());
    }

    function test_Withdraw_RevertWhen_Frozen() public {
        register();
        leaveAsOwner();
        uint256 end = block.timestamp + FREEZE;
        vm.warp(end - 1);
        vm.expectRevert(
            abi.encodeWithSelector(IRlnMembership.RlnMembership_Frozen.selector, commitment, end)
        );
        membership.withdraw(commitment);
        vm.warp(end);
        membership.withdraw(commitment);
    }

    function test_Withdraw_RevertWhen_Active() public {
        register();
        expectWrongStatus(IRlnMembership.MemberStatus.Active);
        membership.withdraw(commitment);
    }

    function test_Withdraw_RevertWhen_NeverRegistered() public {
        expectWrongStatus(IRlnMembership.MemberStatus.None);
        membership.withdraw(commitment);
    }

    function test_Withdraw_RevertWhen_WithdrawnBefore() public {
        register();
        leaveAsOwner();
        vm.warp(block.timestamp + FREEZE);
        membership.withdraw(commitment);
        expectWrongStatus(IRlnMembership.MemberStatus.Withdrawn);
        membership.withdraw(commitment);
    }

    function test_Withdraw_RevertWhen_SlashedWhileFrozen() public {
        register();
        leaveAsOwner();
        slashAs(finder, SECRET);
        vm.warp(block.timestamp + FREEZE);
        expectWrongStatus(IRlnMembership.MemberStatus.Slashed);
        membership.withdraw(commitment);
    }

    // ---------------------------------------------------------------- flushBurn

    function test_FlushBurn_SendsAllButOneUnitToTheSink() public {
        register();
        uint256 accrued = membership.burnAccrued();
        vm.expectEmit();
        emit IRlnMembership.BurnFlushed(accrued - 1);
        vm.assertEq(membership.flushBurn(), accrued - 1);
        vm.assertEq(token.balanceOf(SINK), accrued - 1);
        vm.assertEq(membership.burnAccrued(), 1);
        vm.expectRevert(IRlnMembership.RlnMembership_NothingDue.selector);
        membership.flushBurn();
    }

    function test_FlushBurn_RevertWhen_NothingAccrued() public {
        vm.expectRevert(IRlnMembership.RlnMembership_NothingDue.selector);
        membership.flushBurn();
    }

    // ---------------------------------------------------------------- cost

    function testFuzz_Cost_AddsUpToThePrice(uint32 limit) public view {
        (uint256 deposit, uint256 burnt) = membership.costOf(limit);
        vm.assertEq(deposit + burnt, limit * PRICE);
        vm.assertEq(burnt, burntOf(limit));
    }

    // ---------------------------------------------------------------- helpers

    function leaveAsOwner() private {
        vm.prank(owner);
        membership.leaveGroup(commitment);
    }

    /// @dev Writes the counter where the compiler put it: slot 3, low 32 bits.
    function setNextIndex(uint256 index) private {
        vm.store(address(membership), bytes32(uint256(3)), bytes32(index));
        (, uint256 nextIndex) = membership.state();
        vm.assertEq(nextIndex, index);
    }

    function permitFor(Account memory signer, uint256 value, uint256 deadline)
        private
        view
        returns (PermitSignature memory)
    {
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256(
                    "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
                ),
                signer.addr,
                address(membership),
                value,
                token.nonces(signer.addr),
                deadline
            )
        );
        bytes32 digest =
            keccak256(abi.encodePacked("\x19\x01", token.DOMAIN_SEPARATOR(), structHash));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(signer.key, digest);
        return PermitSignature({value: value, deadline: deadline, v: v, r: r, s: s});
    }

    function expectInvalid(bytes32 name, uint256 value, uint256 least, uint256 most) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IRlnMembership.RlnMembership_InvalidParameter.selector, name, value, least, most
            )
        );
    }

    function expectAlreadyRegistered(IRlnMembership.MemberStatus status) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IRlnMembership.RlnMembership_AlreadyRegistered.selector, commitment, status
            )
        );
        register();
    }

    function expectWrongStatus(IRlnMembership.MemberStatus status) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IRlnMembership.RlnMembership_WrongStatus.selector, commitment, status
            )
        );
    }
}
