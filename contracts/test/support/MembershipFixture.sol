// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPostToken} from "../../interfaces/IPostToken.sol";
import {IRlnMembership} from "../../interfaces/IRlnMembership.sol";
import {TestBase} from "./TestBase.sol";

/// @dev A membership contract and an owner with funds.
abstract contract MembershipFixture is TestBase {
    uint256 internal constant PRICE = 0.1 ether;
    uint256 internal constant BURN_BPS = 1_000;
    uint256 internal constant SLASH_BURN_BPS = 5_000;
    uint256 internal constant FREEZE = 7 days;
    uint32 internal constant LIMIT = 20;
    uint256 internal constant SECRET = 424242;
    bytes32 internal constant NONCE = "nonce";
    uint256 internal constant P = 21888242871839275222246405745257275088548364400416034343698204186575808495617;
    address internal constant SINK = 0x000000000000000000000000000000000000dEaD;

    IPostToken internal token;
    IRlnMembership internal membership;
    address internal owner = address(0xA1);
    address internal finder = address(0xF0);
    address internal stranger = address(0xE0);
    /// Poseidon(SECRET).
    uint256 internal commitment;

    function setUp() public virtual {
        vm.warp(1_700_000_000);
        vm.roll(1_000);
        token = IPostToken(deploy("PostToken", ""));
        membership = deployMembership(address(token));
        commitment = membership.commitmentOf(SECRET);
        fund(owner);
        fund(stranger);
    }

    function deployMembership(address token_) internal returns (IRlnMembership) {
        return deployMembership(token_, PRICE, BURN_BPS, SLASH_BURN_BPS, FREEZE);
    }

    function deployMembership(
        address token_,
        uint256 price,
        uint256 burnBps,
        uint256 slashBurnBps,
        uint256 freeze
    ) internal returns (IRlnMembership) {
        return IRlnMembership(
            deploy("RlnMembership", abi.encode(token_, price, burnBps, slashBurnBps, freeze))
        );
    }

    function fund(address who) internal {
        token.faucet(who, 1_000_000 ether);
        vm.prank(who);
        token.approve(address(membership), type(uint256).max);
    }

    function register() internal returns (uint256) {
        return register(commitment, LIMIT);
    }

    function register(uint256 commitment_, uint32 limit) internal returns (uint256) {
        vm.prank(owner);
        return membership.register(commitment_, limit, owner);
    }

    /// @dev One step of the running hash, as nodes compute it.
    function fold(bytes32 acc, uint256 index, uint256 commitment_, uint256 limit)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(acc, index, commitment_, limit));
    }

    function promiseOf(address slasher, uint256 secret, bytes32 nonce) internal pure returns (bytes32) {
        return keccak256(abi.encode(slasher, secret, nonce));
    }

    function commitAs(address slasher, uint256 secret, bytes32 nonce) internal {
        vm.prank(slasher);
        membership.commitSlash(promiseOf(slasher, secret, nonce));
    }

    function nextBlock() internal {
        vm.roll(block.number + 1);
        vm.warp(block.timestamp + 12);
    }

    /// @dev Commit, next block, reveal.
    function slashAs(address slasher, uint256 secret) internal returns (uint256) {
        commitAs(slasher, secret, NONCE);
        nextBlock();
        vm.prank(slasher);
        return membership.revealSlash(secret, NONCE, slasher);
    }

    function statusOf(uint256 commitment_) internal view returns (IRlnMembership.MemberStatus) {
        return membership.member(commitment_).status;
    }

    function assertStatus(IRlnMembership.MemberStatus status) internal view {
        vm.assertEq(uint256(statusOf(commitment)), uint256(status));
    }

    /// @dev What stays of the price of `limit` messages.
    function depositOf(uint256 limit) internal pure returns (uint256) {
        return limit * PRICE - burntOf(limit);
    }

    function burntOf(uint256 limit) internal pure returns (uint256) {
        return limit * PRICE * BURN_BPS / 10_000;
    }
}
