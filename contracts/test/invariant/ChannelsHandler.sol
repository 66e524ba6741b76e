// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPaymentChannels} from "../../interfaces/IPaymentChannels.sol";
import {IPostToken} from "../../interfaces/IPostToken.sol";
import {ChannelsFixture} from "../support/ChannelsFixture.sol";

/// @dev Plays payers, payees and strangers in any order, and keeps its own books of what must have happened.
/// A call that the contract refuses is part of the game: it must then change nothing.
contract ChannelsHandler is ChannelsFixture {
    uint256 private constant PAYERS = 3;
    uint256 private constant MAX_CHANNELS = 12;

    address[] public payers;
    bytes32[] public ids;
    mapping(bytes32 id => IPaymentChannels.ChannelDescriptor) private _descriptors;
    IPaymentChannels.ChannelClaim[] private _usedClaims;
    /// One chain of ticks for all channels: making one for each claim would take most of the test's time.
    bytes32[] private _chain;

    /// What the handler knows of a channel by itself.
    mapping(bytes32 id => uint256) public highestSettled;
    mapping(bytes32 id => bool) public closed;
    mapping(bytes32 id => bytes32) public closedState;

    uint256 public deposited;
    uint256 public earned;
    uint256 public refunded;
    uint256 public burnt;

    /// Set when something happened that must never happen.
    string public violation;

    function setUp() public override {
        super.setUp();
        _chain = tickChain("ticks");
        for (uint256 i = 0; i < PAYERS; ++i) {
            address next = address(uint160(0x10000 + i));
            payers.push(next);
            fund(next);
        }
    }

    function count() external view returns (uint256) {
        return ids.length;
    }

    // ---------------------------------------------------------------- moves

    function open(uint256 who, uint256 amount) external {
        if (ids.length >= MAX_CHANNELS) return;
        address from = payers[who % PAYERS];
        uint96 deposit = uint96(within(amount, 1, DEPOSIT));
        bytes32 salt = bytes32(ids.length);
        bytes32 id = openChannel(from, salt, deposit);
        ids.push(id);
        _descriptors[id] = descriptorOf(from, salt);
        deposited += deposit;
    }

    function topUp(uint256 which, uint256 amount) external {
        bytes32 id = pick(which);
        uint96 more = uint96(within(amount, 1, DEPOSIT));
        vm.prank(payers[which % PAYERS]);
        try channels.topUp(id, more) {
            deposited += more;
            if (closed[id]) violation = "a closed channel was topped up";
        } catch {}
    }

    function settle(uint256 which, uint256 total, uint8 ticks) external {
        bytes32 id = pick(which);
        claimAndRecord(id, makeClaim(id, total, ticks));
    }

    /// @dev A claim that was used before, alone: it must never pay again.
    function replay(uint256 which) external {
        if (_usedClaims.length == 0) return;
        IPaymentChannels.ChannelClaim memory used = _usedClaims[which % _usedClaims.length];
        bytes32 id = idOf(descriptorOf(used.payer, used.salt));
        try channels.settle(_descriptors[id], used.claim) returns (uint256) {
            violation = "a voucher paid twice";
        } catch {}
    }

    function settleMany(uint256 first, uint256 total, uint8 ticks) external {
        IPaymentChannels.ChannelClaim[] memory items = batch(first, total, ticks);
        uint256 before = token.balanceOf(payoutAddress());
        uint256 paid = channels.settleMany(payee.addr, items);
        earned += paid;
        if (token.balanceOf(payoutAddress()) - before != paid) violation = "a batch paid another sum";
        recordAll();
    }

    function close(uint256 which, uint256 total, bool withClaim) external {
        bytes32 id = pick(which);
        IPaymentChannels.Claim memory claim = withClaim ? makeClaim(id, total, 0) : noClaim();
        vm.prank(payee.addr);
        try channels.close(_descriptors[id], claim) returns (uint256 paid) {
            earned += paid;
            recordClosed(id);
        } catch {}
        recordAll();
    }

    function closeMany(uint256 first, uint256 total, uint8 ticks) external {
        IPaymentChannels.ChannelClaim[] memory items = batch(first, total, ticks);
        vm.prank(payee.addr);
        earned += channels.closeMany(items);
        for (uint256 i = 0; i < items.length; ++i) {
            bytes32 id = idOf(descriptorOf(items[i].payer, items[i].salt));
            bool isClosed = stateOf(id).status == IPaymentChannels.ChannelStatus.Closed;
            if (isClosed && !closed[id]) recordClosed(id);
        }
        recordAll();
    }

    function requestClose(uint256 which) external {
        bytes32 id = pick(which);
        vm.prank(_descriptors[id].payer);
        try channels.requestClose(_descriptors[id]) {
            if (closed[id]) violation = "a closed channel began to close";
        } catch {}
    }

    function withdraw(uint256 which) external {
        bytes32 id = pick(which);
        IPaymentChannels.Channel memory state = stateOf(id);
        vm.prank(_descriptors[id].payer);
        try channels.withdraw(_descriptors[id]) returns (uint256 refund) {
            refunded += refund;
            if (state.closeAt == 0 || block.timestamp < state.closeAt) violation = "a withdrawal before the thaw";
            if (refund != state.deposit - state.settled) violation = "a withdrawal of another sum";
            recordClosed(id);
        } catch {}
    }

    function withdrawRefund(uint256 who) external {
        try channels.withdrawRefund(payers[who % PAYERS]) returns (uint256 amount) {
            refunded += amount;
        } catch {}
    }

    function flushBurn() external {
        try channels.flushBurn() returns (uint256 amount) {
            burnt += amount;
        } catch {}
    }

    function redirect(uint256 to) external {
        address next = address(uint160(0x20000 + to % 3));
        address present = payoutAddress();
        vm.prank(present);
        channels.setPayoutAddress(payee.addr, next);
    }

    function pass(uint256 time) external {
        vm.warp(block.timestamp + within(time, 1, THAW));
    }

    // ---------------------------------------------------------------- books

    /// @dev What the contract owes for channels that are not closed: the unspent rest and the withheld share.
    function owedToChannels() external view returns (uint256 owed) {
        for (uint256 i = 0; i < ids.length; ++i) {
            IPaymentChannels.Channel memory state = stateOf(ids[i]);
            if (state.status == IPaymentChannels.ChannelStatus.Closed) continue;
            owed += state.deposit - state.settled + burnShare(state.settled);
        }
    }

    function owedRefunds() external view returns (uint256 owed) {
        for (uint256 i = 0; i < PAYERS; ++i) {
            owed += channels.refundOf(payers[i]);
        }
    }

    /// @dev What payees must have earned: of each channel all that was settled, less its burnt share.
    function netOfAllSettled() external view returns (uint256 sum) {
        for (uint256 i = 0; i < ids.length; ++i) {
            sum += net(stateOf(ids[i]).settled);
        }
    }

    function tokenAddress() external view returns (IPostToken) {
        return token;
    }

    function channelsAddress() external view returns (IPaymentChannels) {
        return channels;
    }

    // ---------------------------------------------------------------- inside

    function claimAndRecord(bytes32 id, IPaymentChannels.Claim memory claim) private {
        try channels.settle(_descriptors[id], claim) returns (uint256 paid) {
            earned += paid;
            if (closed[id]) violation = "a closed channel paid";
            _usedClaims.push(item(_descriptors[id], claim));
        } catch {}
        recordAll();
    }

    /// @dev A properly signed claim; its total may well be too low or too high.
    function makeClaim(bytes32 id, uint256 total, uint8 ticks)
        private
        view
        returns (IPaymentChannels.Claim memory claim)
    {
        uint256 deposit = stateOf(id).deposit;
        claim.cumulative = uint128(within(total, 0, deposit + deposit / 4));
        claim.tickAnchor = _chain[0];
        claim.tickValue = uint64(within(total, 0, 0.1 ether));
        claim.tickCount = uint8(ticks % 66);
        claim.tickPreimage = _chain[claim.tickCount];
        return signed(claim, id, signer.key);
    }

    function batch(uint256 first, uint256 total, uint8 ticks)
        private
        returns (IPaymentChannels.ChannelClaim[] memory items)
    {
        items = new IPaymentChannels.ChannelClaim[](4);
        for (uint256 i = 0; i < 4; ++i) {
            uint256 mixed;
            unchecked {
                mixed = total + i * 7 ether;
            }
            bytes32 id = pick(first % MAX_CHANNELS + i);
            items[i] = item(_descriptors[id], makeClaim(id, mixed, ticks));
        }
    }

    function pick(uint256 which) private returns (bytes32) {
        if (ids.length == 0) this.open(which, DEPOSIT);
        return ids[which % ids.length];
    }

    function payoutAddress() private view returns (address) {
        return channels.payoutAddressOf(payee.addr);
    }

    function recordClosed(bytes32 id) private {
        if (closed[id]) violation = "a channel closed twice";
        closed[id] = true;
        closedState[id] = keccak256(abi.encode(stateOf(id)));
    }

    /// @dev Notes every total; one that fell is a violation.
    function recordAll() private {
        for (uint256 i = 0; i < ids.length; ++i) {
            uint256 settled = stateOf(ids[i]).settled;
            if (settled < highestSettled[ids[i]]) violation = "settled fell";
            highestSettled[ids[i]] = settled;
        }
    }
}
