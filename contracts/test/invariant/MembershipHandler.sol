// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPostToken} from "../../interfaces/IPostToken.sol";
import {IRlnMembership} from "../../interfaces/IRlnMembership.sol";
import {MembershipFixture} from "../support/MembershipFixture.sol";

/// @dev Plays members and finders, and keeps its own books. Secrets are 1 … SECRETS, so that members, finders and
/// strangers often mean the same one.
contract MembershipHandler is MembershipFixture {
    uint256 private constant SECRETS = 6;

    uint256[] public commitments;
    bytes32 public accumulator;
    uint256 public registered;
    uint256 public paidIn;
    uint256 public paidBack;
    uint256 public rewarded;
    uint256 public flushed;
    mapping(uint256 commitment => uint256) public limits;
    mapping(uint256 commitment => IRlnMembership.MemberStatus) public statuses;
    mapping(bytes32 promiseHash => uint256) private _promisedAt;

    /// Set when something happened that must never happen.
    string public violation;

    function setUp() public override {
        super.setUp();
        for (uint256 secret = 1; secret <= SECRETS; ++secret) {
            commitments.push(membership.commitmentOf(secret));
        }
    }

    // ---------------------------------------------------------------- moves

    function join(uint256 who, uint32 limit) external {
        uint256 commitment_ = commitments[who % SECRETS];
        limit = uint32(within(limit, 0, 70_000));
        vm.prank(stranger);
        try membership.register(commitment_, limit, owner) returns (uint256 index) {
            if (index != registered) violation = "an index was given twice";
            if (limit == 0 || limit > 65_535) violation = "a limit out of range";
            advance(commitment_, IRlnMembership.MemberStatus.Active);
            accumulator = fold(accumulator, index, commitment_, limit);
            registered += 1;
            paidIn += limit * PRICE;
            limits[commitment_] = limit;
        } catch {}
    }

    function leaveGroup(uint256 who, bool asOwner) external {
        uint256 commitment_ = commitments[who % SECRETS];
        vm.prank(asOwner ? owner : stranger);
        try membership.leaveGroup(commitment_) {
            if (!asOwner) violation = "a stranger left for a member";
            advance(commitment_, IRlnMembership.MemberStatus.Leaving);
            accumulator = fold(accumulator, membership.member(commitment_).index, 0, 0);
        } catch {}
    }

    function withdraw(uint256 who) external {
        uint256 commitment_ = commitments[who % SECRETS];
        uint256 end = membership.member(commitment_).withdrawableAt;
        uint256 before = token.balanceOf(owner);
        try membership.withdraw(commitment_) returns (uint256 amount) {
            if (end == 0 || block.timestamp < end) violation = "a deposit left before the freeze ended";
            if (token.balanceOf(owner) - before != amount) violation = "a deposit left elsewhere";
            advance(commitment_, IRlnMembership.MemberStatus.Withdrawn);
            paidBack += amount;
        } catch {}
    }

    function commitTo(uint256 who, bool asFinder) external {
        address from = asFinder ? finder : stranger;
        bytes32 hash = promiseOf(from, who % SECRETS + 1, NONCE);
        vm.prank(from);
        try membership.commitSlash(hash) {
            _promisedAt[hash] = block.number;
        } catch {}
    }

    function reveal(uint256 who, bool asFinder) external {
        address from = asFinder ? finder : stranger;
        uint256 secret = who % SECRETS + 1;
        bytes32 hash = promiseOf(from, secret, NONCE);
        uint256 commitment_ = commitments[who % SECRETS];
        uint256 accrued = membership.burnAccrued();
        bool wasActive = statuses[commitment_] == IRlnMembership.MemberStatus.Active;
        vm.prank(from);
        try membership.revealSlash(secret, NONCE, from) returns (uint256 reward) {
            if (_promisedAt[hash] == 0 || _promisedAt[hash] >= block.number) violation = "a reveal without promise";
            uint256 deposit = depositOf(limits[commitment_]);
            uint256 share = membership.burnAccrued() - accrued;
            if (reward + share != deposit) violation = "a slash took another sum";
            if (share * 10_000 < deposit * SLASH_BURN_BPS) violation = "a slash burnt too little";
            advance(commitment_, IRlnMembership.MemberStatus.Slashed);
            if (wasActive) accumulator = fold(accumulator, membership.member(commitment_).index, 0, 0);
            rewarded += reward;
            _promisedAt[hash] = 0;
        } catch {}
    }

    function flush() external {
        try membership.flushBurn() returns (uint256 amount) {
            flushed += amount;
        } catch {}
    }

    function pass(uint256 time) external {
        vm.roll(block.number + 1);
        vm.warp(block.timestamp + within(time, 1, FREEZE));
    }

    // ---------------------------------------------------------------- books

    /// @dev A status only ever grows, but for slashed, which ends both Active and Leaving.
    function advance(uint256 commitment_, IRlnMembership.MemberStatus next) private {
        IRlnMembership.MemberStatus present = statuses[commitment_];
        if (next <= present) violation = "a membership went back";
        if (present >= IRlnMembership.MemberStatus.Withdrawn) violation = "a membership came back";
        statuses[commitment_] = next;
    }

    function depositsAtRisk() external view returns (uint256 sum) {
        for (uint256 i = 0; i < SECRETS; ++i) {
            IRlnMembership.MemberStatus status = statuses[commitments[i]];
            if (
                status == IRlnMembership.MemberStatus.Active
                    || status == IRlnMembership.MemberStatus.Leaving
            ) sum += depositOf(limits[commitments[i]]);
        }
    }

    function secrets() external pure returns (uint256) {
        return SECRETS;
    }

    function tokenAddress() external view returns (IPostToken) {
        return token;
    }

    function membershipAddress() external view returns (IRlnMembership) {
        return membership;
    }
}
