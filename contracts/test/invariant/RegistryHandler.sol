// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {INodeRegistry} from "../../interfaces/INodeRegistry.sol";
import {IPostToken} from "../../interfaces/IPostToken.sol";
import {RegistryFixture} from "../support/RegistryFixture.sol";

/// @dev Plays operators, their cold addresses and the judge, and keeps its own books.
contract RegistryHandler is RegistryFixture {
    uint256 private constant OPERATORS = 4;

    uint256 public staked;
    uint256 public withdrawn;
    uint256 public slashed;
    uint256 public rewarded;
    mapping(address operator => uint256) public stakes;
    mapping(address operator => uint256) public locks;

    /// Set when something happened that must never happen.
    string public violation;

    function setUp() public override {
        super.setUp();
        appoint();
        for (uint256 i = 0; i < OPERATORS; ++i) {
            fund(operatorAt(i));
        }
    }

    function operatorAt(uint256 i) public pure returns (address) {
        return address(uint160(0x30000 + i % OPERATORS));
    }

    function coldOf(uint256 i) public pure returns (address) {
        return address(uint160(0x40000 + i % OPERATORS));
    }

    // ---------------------------------------------------------------- moves

    function join(uint256 who, uint256 amount) external {
        address from = operatorAt(who);
        uint96 stake = uint96(within(amount, MIN_STAKE - 1, 3 * MIN_STAKE));
        INodeRegistry.Registration memory data = registration();
        data.peerKey = keccak256(abi.encode(from));
        data.withdrawal = coldOf(who);
        vm.prank(from);
        try registry.register(data, stake) {
            if (stake < MIN_STAKE) violation = "a stake below the minimum";
            staked += stake;
            stakes[from] = stake;
        } catch {}
    }

    function addStake(uint256 who, uint256 amount) external {
        address to = operatorAt(who);
        uint96 more = uint96(within(amount, 1, MIN_STAKE));
        vm.prank(operatorAt(who / 2));
        try registry.addStake(to, more) {
            staked += more;
            stakes[to] += more;
        } catch {}
    }

    function announceExit(uint256 who, bool byCold) external {
        vm.prank(byCold ? coldOf(who) : operatorAt(who));
        try registry.announceExit(operatorAt(who)) {} catch {}
    }

    function cancelExit(uint256 who, bool byCold) external {
        vm.prank(byCold ? coldOf(who) : operatorAt(who));
        try registry.cancelExit(operatorAt(who)) {
            if (!byCold) violation = "the operator called the exit off";
        } catch {}
    }

    function withdrawStake(uint256 who, bool byCold) external {
        address from = operatorAt(who);
        uint256 exitAt = registry.node(from).exitAt;
        uint256 before = token.balanceOf(coldOf(who));
        vm.prank(byCold ? coldOf(who) : from);
        try registry.withdrawStake(from) returns (uint256 amount) {
            if (exitAt == 0 || block.timestamp < exitAt) violation = "stake left before the delay";
            if (locks[from] != 0) violation = "stake left while locked";
            if (amount != stakes[from]) violation = "another sum left";
            if (token.balanceOf(coldOf(who)) - before != amount) violation = "stake left elsewhere";
            withdrawn += amount;
            stakes[from] = 0;
        } catch {}
    }

    function withdrawAsStranger(uint256 who) external {
        vm.prank(stranger);
        try registry.withdrawStake(operatorAt(who)) {
            violation = "a stranger moved stake";
        } catch {}
    }

    function lock(uint256 who) external {
        try judge.lock(operatorAt(who)) {
            locks[operatorAt(who)] += 1;
        } catch {}
    }

    function unlock(uint256 who) external {
        try judge.unlock(operatorAt(who)) {
            locks[operatorAt(who)] -= 1;
        } catch {}
    }

    function slash(uint256 who, uint256 amount, bool rewards) external {
        address from = operatorAt(who);
        uint256 asked = within(amount, 0, 2 * MIN_STAKE);
        uint256 burntBefore = token.balanceOf(SINK);
        try judge.slash(from, asked, rewards ? stranger : address(0)) returns (uint256 taken) {
            uint256 burnt = token.balanceOf(SINK) - burntBefore;
            if (taken > asked || taken > stakes[from]) violation = "a slash took too much";
            if (burnt * 10_000 < taken * SLASH_BURN_BPS) violation = "a slash burnt too little";
            if (!rewards && burnt != taken) violation = "a slash without beneficiary rewarded";
            slashed += taken;
            rewarded += taken - burnt;
            stakes[from] -= taken;
        } catch {}
    }

    function rotate(uint256 who, uint256 salt) external {
        vm.startPrank(operatorAt(who));
        try registry.updateSigner(address(uint160(within(salt, 1, 1_000)))) {} catch {}
        try registry.updatePeerKey(keccak256(abi.encode(salt))) {} catch {}
        vm.stopPrank();
    }

    function pass(uint256 time) external {
        vm.warp(block.timestamp + within(time, 1, UNBONDING));
    }

    // ---------------------------------------------------------------- books

    function sumOfStakes() external view returns (uint256 sum) {
        for (uint256 i = 0; i < OPERATORS; ++i) {
            sum += stakes[operatorAt(i)];
        }
    }

    function operators() external pure returns (uint256) {
        return OPERATORS;
    }

    function tokenAddress() external view returns (IPostToken) {
        return token;
    }

    function registryAddress() external view returns (INodeRegistry) {
        return registry;
    }
}
