// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {INodeRegistry} from "../interfaces/INodeRegistry.sol";
import {IPostToken} from "../interfaces/IPostToken.sol";
import {Judge, RegistryFixture} from "./support/RegistryFixture.sol";
import {HookToken} from "./support/Tokens.sol";

/// @dev Withdrawal address, exit, slashing. Branches in NodeRegistry.tree.
contract NodeRegistryLeavingTest is RegistryFixture {
    function setUp() public override {
        super.setUp();
        register();
    }

    // ---------------------------------------------------------------- withdrawal address

    function test_Withdrawal_ChangesOnlyWhenTheNewOneConfirms() public {
        vm.expectEmit();
        emit INodeRegistry.WithdrawalProposed(operator, cold, stranger);
        vm.prank(cold);
        registry.proposeWithdrawal(operator, stranger);
        vm.assertEq(registry.node(operator).withdrawal, cold);
        vm.assertEq(registry.node(operator).pendingWithdrawal, stranger);

        vm.expectEmit();
        emit INodeRegistry.WithdrawalConfirmed(operator, cold, stranger);
        vm.prank(stranger);
        registry.confirmWithdrawal(operator);
        vm.assertEq(registry.node(operator).withdrawal, stranger);
        vm.assertEq(registry.node(operator).pendingWithdrawal, address(0));
    }

    function test_Withdrawal_AProposalCanBeTakenBack() public {
        vm.startPrank(cold);
        registry.proposeWithdrawal(operator, stranger);
        registry.proposeWithdrawal(operator, address(0));
        vm.stopPrank();
        expectUnauthorized(stranger);
        registry.confirmWithdrawal(operator);
    }

    /// @dev The operator's key is hot; whoever steals it cannot redirect the stake.
    function test_Withdrawal_RevertWhen_TheOperatorProposes() public {
        expectUnauthorized(operator);
        registry.proposeWithdrawal(operator, operator);
    }

    function test_Withdrawal_RevertWhen_SomebodyElseConfirms() public {
        vm.prank(cold);
        registry.proposeWithdrawal(operator, stranger);
        expectUnauthorized(cold);
        registry.confirmWithdrawal(operator);
    }

    function test_Withdrawal_RevertWhen_NothingIsProposed() public {
        expectUnauthorized(stranger);
        registry.confirmWithdrawal(operator);
    }

    function test_Withdrawal_RevertWhen_TokenOrThis() public {
        vm.startPrank(cold);
        vm.expectPartialRevert(INodeRegistry.NodeRegistry_InvalidAddress.selector);
        registry.proposeWithdrawal(operator, address(token));
        vm.expectPartialRevert(INodeRegistry.NodeRegistry_InvalidAddress.selector);
        registry.proposeWithdrawal(operator, address(registry));
    }

    // ---------------------------------------------------------------- announceExit, cancelExit

    function test_AnnounceExit_ByTheOperator() public {
        vm.expectEmit();
        emit INodeRegistry.ExitAnnounced(operator, operator, block.timestamp + UNBONDING);
        vm.prank(operator);
        registry.announceExit(operator);
        vm.assertEq(registry.node(operator).exitAt, block.timestamp + UNBONDING);
        vm.assertFalse(registry.isActive(operator));
    }

    function test_AnnounceExit_ByTheWithdrawalAddress() public {
        vm.prank(cold);
        registry.announceExit(operator);
        vm.assertEq(registry.node(operator).exitAt, block.timestamp + UNBONDING);
    }

    function test_AnnounceExit_RevertWhen_Stranger() public {
        expectUnauthorized(stranger);
        registry.announceExit(operator);
    }

    /// @dev Announcing again must not move the end, in either direction.
    function test_AnnounceExit_RevertWhen_Announced() public {
        vm.startPrank(operator);
        registry.announceExit(operator);
        uint256 exitAt = block.timestamp + UNBONDING;
        vm.warp(block.timestamp + 1);
        vm.expectRevert(
            abi.encodeWithSelector(INodeRegistry.NodeRegistry_Exiting.selector, operator, exitAt)
        );
        registry.announceExit(operator);
    }

    function test_AnnounceExit_RevertWhen_NotRegistered() public {
        vm.expectRevert(
            abi.encodeWithSelector(INodeRegistry.NodeRegistry_NotRegistered.selector, stranger)
        );
        registry.announceExit(stranger);
    }

    function test_CancelExit_StartsOver() public {
        vm.prank(operator);
        registry.announceExit(operator);
        vm.warp(block.timestamp + 2 * UNBONDING);
        vm.expectEmit();
        emit INodeRegistry.ExitCancelled(operator);
        vm.prank(cold);
        registry.cancelExit(operator);
        vm.assertTrue(registry.isActive(operator));
        vm.startPrank(operator);
        vm.expectRevert(
            abi.encodeWithSelector(INodeRegistry.NodeRegistry_NotExiting.selector, operator)
        );
        registry.withdrawStake(operator);
        registry.announceExit(operator);
        vm.assertEq(registry.node(operator).exitAt, block.timestamp + UNBONDING);
    }

    function test_CancelExit_RevertWhen_TheOperator() public {
        vm.prank(operator);
        registry.announceExit(operator);
        expectUnauthorized(operator);
        registry.cancelExit(operator);
    }

    function test_CancelExit_RevertWhen_NotExiting() public {
        vm.expectRevert(
            abi.encodeWithSelector(INodeRegistry.NodeRegistry_NotExiting.selector, operator)
        );
        vm.prank(cold);
        registry.cancelExit(operator);
    }

    // ---------------------------------------------------------------- withdrawStake

    function test_WithdrawStake_PaysTheWithdrawalAddressAndForgets() public {
        announceAndWait(operator);
        vm.expectEmit();
        emit INodeRegistry.StakeWithdrawn(operator, cold, STAKE);
        vm.prank(operator);
        vm.assertEq(registry.withdrawStake(operator), STAKE);
        vm.assertEq(token.balanceOf(cold), STAKE);
        vm.assertEq(token.balanceOf(address(registry)), 0);
        vm.assertEq(registry.operatorCount(), 0);
        vm.assertEq(registry.operatorOf(PEER_KEY), address(0));
        vm.assertEq(registry.node(operator).registeredAt, 0);
        vm.assertEq(registry.node(operator).endpoints.length, 0);
        (, uint40 until) = registry.signerValidity(operator, hot);
        vm.assertEq(until, block.timestamp);
    }

    function test_WithdrawStake_ByTheWithdrawalAddress() public {
        announceAndWait(operator);
        vm.prank(cold);
        registry.withdrawStake(operator);
        vm.assertEq(token.balanceOf(cold), STAKE);
    }

    function test_WithdrawStake_LetsTheOperatorComeBack() public {
        announceAndWait(operator);
        vm.prank(operator);
        registry.withdrawStake(operator);
        register();
        vm.assertTrue(registry.isActive(operator));
    }

    function test_WithdrawStake_KeepsTheListWhole() public {
        registerOther(address(0x1001));
        registerOther(address(0x1002));
        announceAndWait(operator);
        vm.prank(operator);
        registry.withdrawStake(operator);
        vm.assertEq(registry.operatorCount(), 2);
        vm.assertEq(registry.operatorAt(0), address(0x1002));
        vm.assertEq(registry.operatorAt(1), address(0x1001));
        announceAndWait(address(0x1002));
        vm.prank(address(0x1002));
        registry.withdrawStake(address(0x1002));
        vm.assertEq(registry.operatorCount(), 1);
        vm.assertEq(registry.operatorAt(0), address(0x1001));
    }

    function test_WithdrawStake_RevertWhen_NotAnnounced() public {
        vm.expectRevert(
            abi.encodeWithSelector(INodeRegistry.NodeRegistry_NotExiting.selector, operator)
        );
        vm.prank(operator);
        registry.withdrawStake(operator);
    }

    function test_WithdrawStake_RevertWhen_Unbonding() public {
        vm.startPrank(operator);
        registry.announceExit(operator);
        uint256 exitAt = block.timestamp + UNBONDING;
        vm.warp(exitAt - 1);
        vm.expectRevert(
            abi.encodeWithSelector(INodeRegistry.NodeRegistry_Unbonding.selector, operator, exitAt)
        );
        registry.withdrawStake(operator);
        vm.warp(exitAt);
        registry.withdrawStake(operator);
    }

    function test_WithdrawStake_RevertWhen_Locked() public {
        appoint();
        judge.lock(operator);
        announceAndWait(operator);
        vm.startPrank(operator);
        vm.expectRevert(
            abi.encodeWithSelector(INodeRegistry.NodeRegistry_Locked.selector, operator, 1)
        );
        registry.withdrawStake(operator);
        judge.unlock(operator);
        registry.withdrawStake(operator);
    }

    function test_WithdrawStake_RevertWhen_Stranger() public {
        announceAndWait(operator);
        expectUnauthorized(stranger);
        registry.withdrawStake(operator);
    }

    function test_WithdrawStake_RevertWhen_WithdrawnBefore() public {
        announceAndWait(operator);
        vm.startPrank(operator);
        registry.withdrawStake(operator);
        vm.expectRevert(
            abi.encodeWithSelector(INodeRegistry.NodeRegistry_NotRegistered.selector, operator)
        );
        registry.withdrawStake(operator);
    }

    function test_WithdrawStake_OfNothingLeft() public {
        appoint();
        judge.slash(operator, STAKE, address(0));
        announceAndWait(operator);
        vm.prank(operator);
        vm.assertEq(registry.withdrawStake(operator), 0);
        vm.assertEq(registry.operatorCount(), 0);
    }

    // ---------------------------------------------------------------- appointSlasher

    function test_AppointSlasher_ActsAfterTheUnbondingTime() public {
        vm.expectEmit();
        emit INodeRegistry.SlasherAppointed(address(judge), block.timestamp + UNBONDING);
        registry.appointSlasher(address(judge));
        uint256 activeAt = block.timestamp + UNBONDING;
        (address account_, uint256 activeAt_) = registry.slasher();
        vm.assertEq(account_, address(judge));
        vm.assertEq(activeAt_, activeAt);

        // Whoever does not like the judge has announced its exit and is gone before the judge can act.
        vm.prank(operator);
        registry.announceExit(operator);
        vm.warp(activeAt - 1);
        vm.expectRevert(
            abi.encodeWithSelector(INodeRegistry.NodeRegistry_SlasherNotActive.selector, activeAt)
        );
        judge.slash(operator, 1, address(0));
        vm.warp(activeAt);
        judge.slash(operator, 1, address(0));
    }

    function test_AppointSlasher_RevertWhen_NotTheDeployer() public {
        expectUnauthorized(stranger);
        registry.appointSlasher(address(judge));
    }

    function test_AppointSlasher_RevertWhen_Appointed() public {
        registry.appointSlasher(address(judge));
        vm.expectRevert(
            abi.encodeWithSelector(
                INodeRegistry.NodeRegistry_SlasherAlreadyAppointed.selector, address(judge)
            )
        );
        registry.appointSlasher(address(judge));
    }

    function test_AppointSlasher_RevertWhen_NotAContract() public {
        vm.expectRevert(
            abi.encodeWithSelector(INodeRegistry.NodeRegistry_SlasherNotContract.selector, stranger)
        );
        registry.appointSlasher(stranger);
    }

    // ---------------------------------------------------------------- lock, unlock

    function test_Lock_CountsDisputes() public {
        appoint();
        vm.expectEmit();
        emit INodeRegistry.StakeLocked(operator, 1);
        judge.lock(operator);
        judge.lock(operator);
        vm.assertEq(registry.node(operator).locks, 2);
        vm.expectEmit();
        emit INodeRegistry.StakeUnlocked(operator, 1);
        judge.unlock(operator);
        vm.assertEq(registry.node(operator).locks, 1);
    }

    function test_Unlock_RevertWhen_NotLocked() public {
        appoint();
        vm.expectRevert(
            abi.encodeWithSelector(INodeRegistry.NodeRegistry_NotLocked.selector, operator)
        );
        judge.unlock(operator);
    }

    function test_SlasherCalls_RevertWhen_NotTheSlasher() public {
        appoint();
        vm.startPrank(stranger);
        vm.expectPartialRevert(INodeRegistry.NodeRegistry_Unauthorized.selector);
        registry.lock(operator);
        vm.expectPartialRevert(INodeRegistry.NodeRegistry_Unauthorized.selector);
        registry.unlock(operator);
        vm.expectPartialRevert(INodeRegistry.NodeRegistry_Unauthorized.selector);
        registry.slash(operator, 1, stranger);
    }

    function test_SlasherCalls_RevertWhen_NobodyIsAppointed() public {
        expectUnauthorized(address(0));
        registry.slash(operator, 1, stranger);
        vm.expectPartialRevert(INodeRegistry.NodeRegistry_Unauthorized.selector);
        judge.slash(operator, 1, stranger);
    }

    function test_SlasherCalls_RevertWhen_NotRegistered() public {
        appoint();
        vm.expectPartialRevert(INodeRegistry.NodeRegistry_NotRegistered.selector);
        judge.lock(stranger);
        vm.expectPartialRevert(INodeRegistry.NodeRegistry_NotRegistered.selector);
        judge.unlock(stranger);
        vm.expectPartialRevert(INodeRegistry.NodeRegistry_NotRegistered.selector);
        judge.slash(stranger, 1, operator);
    }

    // ---------------------------------------------------------------- slash

    function test_Slash_BurnsItsShareAndRewardsTheRest() public {
        appoint();
        vm.expectEmit();
        emit INodeRegistry.StakeSlashed(operator, stranger, 80 ether, 20 ether, STAKE - 100 ether);
        uint256 before = token.balanceOf(stranger);
        vm.assertEq(judge.slash(operator, 100 ether, stranger), 100 ether);
        vm.assertEq(token.balanceOf(SINK), 80 ether);
        vm.assertEq(token.balanceOf(stranger) - before, 20 ether);
        vm.assertEq(stakeOf(operator), STAKE - 100 ether);
        vm.assertEq(token.balanceOf(address(registry)), STAKE - 100 ether);
    }

    function test_Slash_RoundsTheBurnUp() public {
        appoint();
        judge.slash(operator, 1, stranger);
        vm.assertEq(token.balanceOf(SINK), 1);
    }

    function test_Slash_WithoutABeneficiaryBurnsAll() public {
        appoint();
        judge.slash(operator, 100 ether, address(0));
        vm.assertEq(token.balanceOf(SINK), 100 ether);
    }

    /// @dev An exact amount against a stake that shrank meanwhile takes what is left instead of failing.
    function test_Slash_TakesWhatIsThere() public {
        appoint();
        judge.slash(operator, STAKE - 1 ether, stranger);
        vm.assertEq(judge.slash(operator, 100 ether, stranger), 1 ether);
        vm.assertEq(stakeOf(operator), 0);
        vm.assertEq(judge.slash(operator, 100 ether, stranger), 0);
    }

    function test_Slash_ReachesUnbondingStake() public {
        appoint();
        vm.prank(operator);
        registry.announceExit(operator);
        judge.slash(operator, 100 ether, stranger);
        vm.assertEq(stakeOf(operator), STAKE - 100 ether);
    }

    /// @dev A slash racing an exit: until the stake is withdrawn it can be taken, even after the unbonding time.
    function test_Slash_ReachesStakeThatCouldHaveLeft() public {
        appoint();
        announceAndWait(operator);
        vm.warp(block.timestamp + 100 days);
        vm.assertEq(judge.slash(operator, STAKE, stranger), STAKE);
    }

    function test_Slash_BelowTheMinimumEndsActivity() public {
        appoint();
        judge.slash(operator, STAKE - MIN_STAKE, stranger);
        vm.assertTrue(registry.isActive(operator));
        judge.slash(operator, 1, stranger);
        vm.assertFalse(registry.isActive(operator));
        vm.prank(operator);
        registry.addStake(operator, 1);
        vm.assertTrue(registry.isActive(operator));
    }

    function testFuzz_Slash_BurnsAtLeastItsShare(uint256 amount, uint96 stake) public {
        appoint();
        uint96 more = uint96(within(stake, 1, 100_000 ether));
        vm.prank(operator);
        registry.addStake(operator, more);
        uint256 held = STAKE + uint256(more);
        uint256 before = token.balanceOf(stranger);
        uint256 slashed = judge.slash(operator, amount, stranger);
        vm.assertEq(slashed, amount < held ? amount : held);
        uint256 burnt = token.balanceOf(SINK);
        vm.assertEq(burnt + token.balanceOf(stranger) - before, slashed);
        vm.assertGe(burnt * 10_000, slashed * SLASH_BURN_BPS);
        vm.assertEq(token.balanceOf(address(registry)), stakeOf(operator));
    }

    // ---------------------------------------------------------------- reentrancy

    function test_WithdrawStake_InsideWithdrawStake_PaysOnce() public {
        HookToken hook = useHookToken();
        announceAndWait(address(hook));
        hook.arm(address(registry), abi.encodeCall(registry.withdrawStake, (address(hook))));
        vm.prank(address(hook));
        registry.withdrawStake(address(hook));
        vm.assertTrue(hook.called());
        vm.assertFalse(hook.succeeded());
        vm.assertEq(hook.balanceOf(cold), STAKE);
        vm.assertEq(hook.balanceOf(address(registry)), 0);
    }

    function test_AddStake_InsideAddStake_IsRefused() public {
        HookToken hook = useHookToken();
        hook.arm(address(registry), abi.encodeCall(registry.addStake, (address(hook), 1 ether)));
        vm.expectRevert(
            abi.encodeWithSelector(INodeRegistry.NodeRegistry_InexactTransfer.selector, 2 ether, 1 ether)
        );
        vm.prank(address(hook));
        registry.addStake(address(hook), 1 ether);
    }

    // ---------------------------------------------------------------- helpers

    /// @dev A registry on a token that calls back; the token itself is an operator.
    function useHookToken() private returns (HookToken hook) {
        hook = new HookToken();
        token = IPostToken(address(hook));
        registry = deployRegistry(address(hook), MIN_STAKE, UNBONDING, SLASH_BURN_BPS);
        judge = new Judge(registry);
        hook.mint(address(hook), 10 * STAKE);
        hook.approveFor(address(registry), type(uint256).max);
        vm.prank(address(hook));
        registry.register(registration(), STAKE);
    }

    function announceAndWait(address who) private {
        vm.prank(who);
        registry.announceExit(who);
        vm.warp(block.timestamp + UNBONDING);
    }

    function expectUnauthorized(address caller) private {
        vm.expectRevert(
            abi.encodeWithSelector(INodeRegistry.NodeRegistry_Unauthorized.selector, caller)
        );
        vm.prank(caller);
    }
}
