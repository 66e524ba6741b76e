// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPostToken} from "../interfaces/IPostToken.sol";
import {IRlnMembership} from "../interfaces/IRlnMembership.sol";
import {MembershipFixture} from "./support/MembershipFixture.sol";
import {HookToken} from "./support/Tokens.sol";

/// @dev commitSlash, revealSlash, Poseidon. Branches in RlnMembership.tree.
contract RlnMembershipSlashingTest is MembershipFixture {
    function setUp() public override {
        super.setUp();
        register();
    }

    // ---------------------------------------------------------------- Poseidon

    /// @dev The vector that circomlib publishes for one input; more are compared with poseidon-lite in TypeScript.
    function test_Commitment_IsCircomlibsPoseidon() public view {
        vm.assertEq(
            membership.commitmentOf(1),
            18586133768512220936620570745912940619677854269274689475585506675881198879027
        );
    }

    function test_Commitment_RevertWhen_SecretIsZeroOrNotInTheField() public {
        uint256[3] memory bad = [0, P, type(uint256).max];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(IRlnMembership.RlnMembership_InvalidSecret.selector);
            membership.commitmentOf(bad[i]);
        }
    }

    function test_Promise_BindsSlasherSecretAndNonce() public view {
        vm.assertEq(
            membership.slashCommitmentOf(finder, SECRET, NONCE),
            keccak256(abi.encode(finder, SECRET, NONCE))
        );
    }

    // ---------------------------------------------------------------- commitSlash

    function test_Commit_IsRemembered() public {
        bytes32 commitHash = promiseOf(finder, SECRET, NONCE);
        vm.expectEmit();
        emit IRlnMembership.SlashCommitted(finder, commitHash);
        commitAs(finder, SECRET, NONCE);
        (uint256 blockNumber, uint256 expiresAt) = membership.slashCommit(finder, commitHash);
        vm.assertEq(blockNumber, block.number);
        vm.assertEq(expiresAt, block.timestamp + 1 days);
        (blockNumber, expiresAt) = membership.slashCommit(stranger, commitHash);
        vm.assertEq(blockNumber + expiresAt, 0);
    }

    function test_Commit_RevertWhen_ItStillStands() public {
        bytes32 commitHash = promiseOf(finder, SECRET, NONCE);
        commitAs(finder, SECRET, NONCE);
        uint256 made = block.number;
        nextBlock();
        vm.expectRevert(
            abi.encodeWithSelector(
                IRlnMembership.RlnMembership_AlreadyCommitted.selector, commitHash, made
            )
        );
        commitAs(finder, SECRET, NONCE);
    }

    function test_Commit_AgainWhenItExpired() public {
        commitAs(finder, SECRET, NONCE);
        vm.warp(block.timestamp + 1 days + 1);
        vm.roll(block.number + 1);
        commitAs(finder, SECRET, NONCE);
        nextBlock();
        vm.prank(finder);
        membership.revealSlash(SECRET, NONCE, finder);
    }

    /// @dev Somebody copies the hash from the mempool: it stands in the copier's name and changes nothing.
    function test_Commit_CopiedBySomebodyElseIsHarmless() public {
        bytes32 commitHash = promiseOf(finder, SECRET, NONCE);
        vm.prank(stranger);
        membership.commitSlash(commitHash);
        vm.prank(finder);
        membership.commitSlash(commitHash);
        nextBlock();
        vm.prank(finder);
        membership.revealSlash(SECRET, NONCE, finder);
        vm.assertGe(token.balanceOf(finder), 1);
    }

    // ---------------------------------------------------------------- revealSlash

    function test_Reveal_BurnsRewardsAndErases() public {
        bytes32 acc = fold(membership.accumulator(), 0, 0, 0);
        uint256 reward = depositOf(LIMIT) / 2;
        uint256 accrued = membership.burnAccrued();
        commitAs(finder, SECRET, NONCE);
        nextBlock();
        vm.expectEmit();
        emit IRlnMembership.MembershipChanged(0, 0, 0, acc);
        vm.expectEmit();
        emit IRlnMembership.MemberSlashed(commitment, finder, stranger, 0, SECRET, reward, reward);
        vm.prank(finder);
        vm.assertEq(membership.revealSlash(SECRET, NONCE, stranger), reward);
        vm.assertEq(token.balanceOf(stranger), 1_000_000 ether + reward);
        vm.assertEq(membership.burnAccrued() - accrued, reward);
        vm.assertEq(membership.accumulator(), acc);
        assertStatus(IRlnMembership.MemberStatus.Slashed);
        (uint256 blockNumber,) = membership.slashCommit(finder, promiseOf(finder, SECRET, NONCE));
        vm.assertEq(blockNumber, 0);
    }

    function test_Reveal_WhileLeaving_DoesNotEraseTwice() public {
        vm.prank(owner);
        membership.leaveGroup(commitment);
        bytes32 acc = membership.accumulator();
        vm.assertEq(slashAs(finder, SECRET), depositOf(LIMIT) / 2);
        vm.assertEq(membership.accumulator(), acc);
    }

    /// @dev After the freeze, as long as nobody withdrew, the deposit is still at risk.
    function test_Reveal_AfterTheFreezeBeforeTheWithdrawal() public {
        vm.prank(owner);
        membership.leaveGroup(commitment);
        vm.warp(block.timestamp + 2 * FREEZE);
        slashAs(finder, SECRET);
        assertStatus(IRlnMembership.MemberStatus.Slashed);
    }

    /// @dev The owner slashes itself through a friend to save its deposit: half of it is gone all the same.
    function test_Reveal_ByTheOwnerStillBurnsItsShare() public {
        uint256 before = token.balanceOf(owner);
        slashAs(owner, SECRET);
        vm.assertEq(token.balanceOf(owner) - before, depositOf(LIMIT) / 2);
    }

    function test_Reveal_RevertWhen_InTheSameBlock() public {
        commitAs(finder, SECRET, NONCE);
        vm.expectRevert(
            abi.encodeWithSelector(IRlnMembership.RlnMembership_RevealTooEarly.selector, block.number)
        );
        vm.prank(finder);
        membership.revealSlash(SECRET, NONCE, finder);
    }

    function test_Reveal_RevertWhen_ThePromiseExpired() public {
        commitAs(finder, SECRET, NONCE);
        uint256 expiry = block.timestamp + 1 days;
        vm.roll(block.number + 7_000);
        vm.warp(expiry + 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                IRlnMembership.RlnMembership_CommitExpired.selector,
                promiseOf(finder, SECRET, NONCE),
                expiry
            )
        );
        vm.prank(finder);
        membership.revealSlash(SECRET, NONCE, finder);
    }

    function test_Reveal_RevertWhen_NotPromised() public {
        vm.expectRevert(
            abi.encodeWithSelector(
                IRlnMembership.RlnMembership_NotCommitted.selector, promiseOf(finder, SECRET, NONCE)
            )
        );
        vm.prank(finder);
        membership.revealSlash(SECRET, NONCE, finder);
    }

    /// @dev A watcher sees the reveal in the mempool and sends it in its own name.
    function test_Reveal_RevertWhen_AWatcherCopiesIt() public {
        commitAs(finder, SECRET, NONCE);
        nextBlock();
        vm.expectPartialRevert(IRlnMembership.RlnMembership_NotCommitted.selector);
        vm.prank(stranger);
        membership.revealSlash(SECRET, NONCE, stranger);
        // Even if it commits now, it is a block too late.
        commitAs(stranger, SECRET, NONCE);
        vm.expectPartialRevert(IRlnMembership.RlnMembership_RevealTooEarly.selector);
        vm.prank(stranger);
        membership.revealSlash(SECRET, NONCE, stranger);
        vm.prank(finder);
        membership.revealSlash(SECRET, NONCE, finder);
    }

    function test_Reveal_RevertWhen_ThePromiseWasForAnotherNonce() public {
        commitAs(finder, SECRET, NONCE);
        nextBlock();
        vm.expectPartialRevert(IRlnMembership.RlnMembership_NotCommitted.selector);
        vm.prank(finder);
        membership.revealSlash(SECRET, "other", finder);
    }

    function test_Reveal_RevertWhen_TheSecretIsNobodys() public {
        commitAs(finder, SECRET + 1, NONCE);
        nextBlock();
        uint256 nobody = membership.commitmentOf(SECRET + 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                IRlnMembership.RlnMembership_WrongStatus.selector,
                nobody,
                IRlnMembership.MemberStatus.None
            )
        );
        vm.prank(finder);
        membership.revealSlash(SECRET + 1, NONCE, finder);
    }

    /// @dev SECRET + p hashes to the same commitment; only the canonical secret counts.
    function test_Reveal_RevertWhen_TheSecretIsNotCanonical() public {
        commitAs(finder, SECRET + P, NONCE);
        nextBlock();
        vm.expectRevert(IRlnMembership.RlnMembership_InvalidSecret.selector);
        vm.prank(finder);
        membership.revealSlash(SECRET + P, NONCE, finder);
    }

    /// @dev Two nodes prove the same breach: the first is rewarded, the second finds it done.
    function test_Reveal_RevertWhen_SlashedBefore() public {
        commitAs(finder, SECRET, NONCE);
        commitAs(stranger, SECRET, NONCE);
        nextBlock();
        vm.prank(finder);
        membership.revealSlash(SECRET, NONCE, finder);
        vm.expectRevert(
            abi.encodeWithSelector(
                IRlnMembership.RlnMembership_WrongStatus.selector,
                commitment,
                IRlnMembership.MemberStatus.Slashed
            )
        );
        vm.prank(stranger);
        membership.revealSlash(SECRET, NONCE, stranger);
    }

    function test_Reveal_RevertWhen_Withdrawn() public {
        vm.prank(owner);
        membership.leaveGroup(commitment);
        vm.warp(block.timestamp + FREEZE);
        membership.withdraw(commitment);
        commitAs(finder, SECRET, NONCE);
        nextBlock();
        vm.expectRevert(
            abi.encodeWithSelector(
                IRlnMembership.RlnMembership_WrongStatus.selector,
                commitment,
                IRlnMembership.MemberStatus.Withdrawn
            )
        );
        vm.prank(finder);
        membership.revealSlash(SECRET, NONCE, finder);
    }

    function test_Reveal_RevertWhen_ReceiverIsZeroTokenOrThis() public {
        address[3] memory forbidden = [address(0), address(token), address(membership)];
        commitAs(finder, SECRET, NONCE);
        nextBlock();
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(IRlnMembership.RlnMembership_InvalidAddress.selector, forbidden[i])
            );
            vm.prank(finder);
            membership.revealSlash(SECRET, NONCE, forbidden[i]);
        }
    }

    function testFuzz_Reveal_BurnsAtLeastItsShare(uint256 secret, uint16 limit) public {
        secret = within(secret, 1, P - 1);
        vm.assume(secret != SECRET && limit > 0);
        uint256 member = membership.commitmentOf(secret);
        register(member, limit);
        uint256 accrued = membership.burnAccrued();
        uint256 reward = slashAs(finder, secret);
        uint256 burnt = membership.burnAccrued() - accrued;
        vm.assertEq(reward + burnt, depositOf(limit));
        vm.assertGe(burnt * 10_000, depositOf(limit) * SLASH_BURN_BPS);
    }

    function test_Reveal_WithEverythingBurntPaysNothing() public {
        membership = deployMembership(address(token), PRICE, BURN_BPS, 10_000, FREEZE);
        fund(owner);
        register();
        vm.assertEq(slashAs(finder, SECRET), 0);
        vm.assertEq(token.balanceOf(finder), 0);
    }

    // ---------------------------------------------------------------- reentrancy

    function test_Withdraw_InsideWithdraw_PaysOnce() public {
        HookToken hook = useHookToken();
        register();
        vm.prank(owner);
        membership.leaveGroup(commitment);
        vm.warp(block.timestamp + FREEZE);
        hook.arm(address(membership), abi.encodeCall(membership.withdraw, (commitment)));
        membership.withdraw(commitment);
        vm.assertTrue(hook.called());
        vm.assertFalse(hook.succeeded());
        vm.assertEq(hook.balanceOf(address(membership)), membership.burnAccrued());
    }

    function test_Reveal_InsideReveal_PaysOnce() public {
        HookToken hook = useHookToken();
        register();
        bytes32 other = "other";
        commitAs(finder, SECRET, NONCE);
        vm.prank(address(hook));
        membership.commitSlash(promiseOf(address(hook), SECRET, other));
        nextBlock();
        hook.arm(address(membership), abi.encodeCall(membership.revealSlash, (SECRET, other, stranger)));
        vm.prank(finder);
        membership.revealSlash(SECRET, NONCE, finder);
        vm.assertTrue(hook.called());
        vm.assertFalse(hook.succeeded());
        vm.assertEq(hook.balanceOf(address(membership)), membership.burnAccrued());
    }

    function useHookToken() private returns (HookToken hook) {
        hook = new HookToken();
        token = IPostToken(address(hook));
        membership = deployMembership(address(hook));
        hook.mint(owner, 100 ether);
        vm.prank(owner);
        hook.approve(address(membership), type(uint256).max);
    }
}
