// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {PoseidonT2} from "poseidon-solidity/PoseidonT2.sol";
import {IRlnMembership} from "../interfaces/IRlnMembership.sol";
import {PermitSignature} from "../interfaces/PermitSignature.sol";
import {Burn} from "../libraries/Burn.sol";
import {TokenPull} from "../libraries/TokenPull.sol";

/// @title Memberships of the rate-limiting group
/// @dev As in {PaymentChannels}, every function finishes its books before it touches the token, and touches it last.
contract RlnMembership is IRlnMembership {
    using SafeERC20 for IERC20;
    using TokenPull for IERC20;

    /// @dev When a promise to slash was made.
    struct Commit {
        uint64 blockNumber;
        uint64 timestamp;
    }

    /// @inheritdoc IRlnMembership
    uint256 public constant FIELD_MODULUS =
        21888242871839275222246405745257275088548364400416034343698204186575808495617;

    /// @inheritdoc IRlnMembership
    /// @dev The circuit compares message ids and limits as 16-bit numbers.
    uint256 public constant MAX_LIMIT = type(uint16).max;

    /// @inheritdoc IRlnMembership
    /// @dev The circuit's tree has depth 20.
    uint256 public constant CAPACITY = 1 << 20;

    /// @inheritdoc IRlnMembership
    /// @dev Time enough to survive congestion; short enough that promises do not pile up for later.
    uint256 public constant COMMIT_LIFETIME_SECONDS = 1 days;

    /// @inheritdoc IRlnMembership
    address public constant BURN_ADDRESS = Burn.SINK;

    /// @dev A higher price per message would let one deposit exceed 96 bits.
    uint256 private constant MAX_PRICE = type(uint96).max / type(uint16).max;

    /// @dev More, and joining would be mostly a tax.
    uint256 private constant MAX_BURN_BPS = 5_000;

    /// @dev Less, and a spammer that slashes itself through a friend would save most of its deposit.
    uint256 private constant MIN_SLASH_BURN_BPS = 5_000;

    /// @dev Longer, and a slip at deployment would lock deposits for ever.
    uint256 private constant MAX_FREEZE_SECONDS = 365 days;

    IERC20 private immutable _token;
    uint256 private immutable _pricePerMessage;
    uint256 private immutable _burnBps;
    uint256 private immutable _slashBurnBps;
    uint256 private immutable _freezeSeconds;

    mapping(uint256 commitment => Member) private _members;
    mapping(address slasher => mapping(bytes32 commitHash => Commit)) private _commits;
    bytes32 private _accumulator;
    uint32 private _nextIndex;
    uint128 private _burnAccrued;

    /// @param token_ A plain ERC-20: no fee on transfer, no rebasing, no hooks.
    /// @param pricePerMessage_ Base units per message per epoch, above 0; the largest deposit must fit 96 bits.
    /// @param burnBps_ Share of the price burnt at registration, 0 to 5,000 hundredths of a percent.
    /// @param slashBurnBps_ Share of the deposit burnt at a slash, 5,000 to 10,000 hundredths of a percent.
    /// @param freezeSeconds_ From leaving to withdrawing, 1 second to 365 days; longer than evidence needs to arrive.
    constructor(
        address token_,
        uint256 pricePerMessage_,
        uint256 burnBps_,
        uint256 slashBurnBps_,
        uint256 freezeSeconds_
    ) {
        if (token_.code.length == 0) revert RlnMembership_InvalidToken(token_);
        _requireWithin("pricePerMessage", pricePerMessage_, 1, MAX_PRICE);
        _requireWithin("burnBps", burnBps_, 0, MAX_BURN_BPS);
        _requireWithin("slashBurnBps", slashBurnBps_, MIN_SLASH_BURN_BPS, Burn.WHOLE_BPS);
        _requireWithin("freezeSeconds", freezeSeconds_, 1, MAX_FREEZE_SECONDS);
        _token = IERC20(token_);
        _pricePerMessage = pricePerMessage_;
        _burnBps = burnBps_;
        _slashBurnBps = slashBurnBps_;
        _freezeSeconds = freezeSeconds_;
    }

    // ---------------------------------------------------------------- joining and leaving

    /// @inheritdoc IRlnMembership
    function register(uint256 commitment, uint32 limit, address owner)
        external
        returns (uint256 index)
    {
        return _register(commitment, limit, owner);
    }

    /// @inheritdoc IRlnMembership
    function registerWithPermit(
        uint256 commitment,
        uint32 limit,
        address owner,
        PermitSignature calldata permit
    ) external returns (uint256 index) {
        (uint256 deposit, uint256 burnt) = costOf(limit);
        (bool ok, uint256 allowance) = _token.tryPermit(permit, deposit + burnt);
        if (!ok) revert RlnMembership_PermitFailed(allowance, deposit + burnt);
        return _register(commitment, limit, owner);
    }

    /// @inheritdoc IRlnMembership
    function leaveGroup(uint256 commitment) external {
        Member memory entry = _members[commitment];
        if (entry.status != MemberStatus.Active) {
            revert RlnMembership_WrongStatus(commitment, entry.status);
        }
        if (msg.sender != entry.owner) revert RlnMembership_Unauthorized(msg.sender, entry.owner);
        entry.status = MemberStatus.Leaving;
        // Fits: the freeze is at most 365 days, and 40 bits of seconds last until the year 36812.
        entry.withdrawableAt = uint40(block.timestamp + _freezeSeconds);
        _members[commitment] = entry;
        _change(entry.index, 0, 0);
        emit MemberLeft(commitment, entry.owner, entry.index, entry.withdrawableAt);
    }

    /// @inheritdoc IRlnMembership
    function withdraw(uint256 commitment) external returns (uint256 amount) {
        Member memory entry = _members[commitment];
        if (entry.status != MemberStatus.Leaving) {
            revert RlnMembership_WrongStatus(commitment, entry.status);
        }
        if (block.timestamp < entry.withdrawableAt) {
            revert RlnMembership_Frozen(commitment, entry.withdrawableAt);
        }
        _members[commitment].status = MemberStatus.Withdrawn;
        (amount,) = costOf(entry.limit);
        emit MemberWithdrawn(commitment, entry.owner, amount);
        _token.safeTransfer(entry.owner, amount);
    }

    // ---------------------------------------------------------------- slashing

    /// @inheritdoc IRlnMembership
    function commitSlash(bytes32 commitHash) external {
        Commit storage pledge = _commits[msg.sender][commitHash];
        if (pledge.blockNumber != 0 && block.timestamp <= _expiryOf(pledge)) {
            revert RlnMembership_AlreadyCommitted(commitHash, pledge.blockNumber);
        }
        pledge.blockNumber = uint64(block.number);
        pledge.timestamp = uint64(block.timestamp);
        emit SlashCommitted(msg.sender, commitHash);
    }

    /// @inheritdoc IRlnMembership
    function revealSlash(uint256 secret, bytes32 nonce, address receiver)
        external
        returns (uint256 reward)
    {
        _requireAddress(receiver);
        _usePromise(slashCommitmentOf(msg.sender, secret, nonce));
        uint256 commitment = commitmentOf(secret);
        Member memory entry = _members[commitment];
        if (entry.status != MemberStatus.Active && entry.status != MemberStatus.Leaving) {
            revert RlnMembership_WrongStatus(commitment, entry.status);
        }
        _members[commitment].status = MemberStatus.Slashed;
        if (entry.status == MemberStatus.Active) _change(entry.index, 0, 0);
        (uint256 deposit,) = costOf(entry.limit);
        uint256 burnt = Burn.shareUp(deposit, _slashBurnBps);
        reward = deposit - burnt;
        _burnAccrued += uint128(burnt);
        emit MemberSlashed(commitment, msg.sender, receiver, entry.index, secret, reward, burnt);
        if (reward > 0) _token.safeTransfer(receiver, reward);
    }

    /// @inheritdoc IRlnMembership
    function flushBurn() external returns (uint256 amount) {
        uint256 accrued = _burnAccrued;
        if (accrued <= Burn.RESIDUE) revert RlnMembership_NothingDue();
        _burnAccrued = uint128(Burn.RESIDUE);
        amount = accrued - Burn.RESIDUE;
        emit BurnFlushed(amount);
        _token.safeTransfer(Burn.SINK, amount);
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc IRlnMembership
    function slashCommitmentOf(address slasher, uint256 secret, bytes32 nonce)
        public
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(slasher, secret, nonce));
    }

    /// @inheritdoc IRlnMembership
    function slashCommit(address slasher, bytes32 commitHash)
        external
        view
        returns (uint256 blockNumber, uint256 expiresAt)
    {
        Commit storage pledge = _commits[slasher][commitHash];
        blockNumber = pledge.blockNumber;
        expiresAt = blockNumber == 0 ? 0 : _expiryOf(pledge);
    }

    /// @inheritdoc IRlnMembership
    function member(uint256 commitment) external view returns (Member memory) {
        return _members[commitment];
    }

    /// @inheritdoc IRlnMembership
    function accumulator() external view returns (bytes32) {
        return _accumulator;
    }

    /// @inheritdoc IRlnMembership
    function state() external view returns (bytes32 accumulator_, uint256 nextIndex_) {
        return (_accumulator, _nextIndex);
    }

    /// @inheritdoc IRlnMembership
    function costOf(uint32 limit) public view returns (uint256 deposit, uint256 burnt) {
        uint256 price = uint256(limit) * _pricePerMessage;
        burnt = Burn.shareDown(price, _burnBps);
        deposit = price - burnt;
    }

    /// @inheritdoc IRlnMembership
    function commitmentOf(uint256 secret) public pure returns (uint256) {
        if (secret == 0 || secret >= FIELD_MODULUS) revert RlnMembership_InvalidSecret();
        return PoseidonT2.hash([secret]);
    }

    /// @inheritdoc IRlnMembership
    function burnAccrued() external view returns (uint256) {
        return _burnAccrued;
    }

    /// @inheritdoc IRlnMembership
    function parameters()
        external
        view
        returns (
            address token_,
            uint256 pricePerMessage_,
            uint256 burnBps_,
            uint256 slashBurnBps_,
            uint256 freezeSeconds_
        )
    {
        return (address(_token), _pricePerMessage, _burnBps, _slashBurnBps, _freezeSeconds);
    }

    // ---------------------------------------------------------------- inside

    function _register(uint256 commitment, uint32 limit, address owner) private returns (uint256 index) {
        if (commitment == 0 || commitment >= FIELD_MODULUS) {
            revert RlnMembership_InvalidCommitment(commitment);
        }
        if (limit == 0 || limit > MAX_LIMIT) revert RlnMembership_InvalidLimit(limit, MAX_LIMIT);
        _requireAddress(owner);
        MemberStatus status = _members[commitment].status;
        if (status != MemberStatus.None) revert RlnMembership_AlreadyRegistered(commitment, status);
        index = _nextIndex;
        if (index >= CAPACITY) revert RlnMembership_GroupFull(CAPACITY);

        (uint256 deposit, uint256 burnt) = costOf(limit);
        _members[commitment] = Member({
            owner: owner,
            index: uint32(index),
            limit: uint16(limit),
            withdrawableAt: 0,
            status: MemberStatus.Active
        });
        _nextIndex = uint32(index + 1);
        _burnAccrued += uint128(burnt);
        _change(index, commitment, limit);
        emit MemberRegistered(commitment, owner, msg.sender, index, limit, deposit, burnt);
        uint256 price = deposit + burnt;
        uint256 received = _token.pull(price);
        if (received != price) revert RlnMembership_InexactTransfer(received, price);
    }

    /// @dev Folds one change of a leaf into the running hash.
    function _change(uint256 index, uint256 commitment, uint256 limit) private {
        bytes32 next = keccak256(abi.encode(_accumulator, index, commitment, limit));
        _accumulator = next;
        emit MembershipChanged(index, commitment, limit, next);
    }

    /// @dev Consumes the caller's promise, which must be from an earlier block and not too old.
    function _usePromise(bytes32 commitHash) private {
        Commit memory pledge = _commits[msg.sender][commitHash];
        if (pledge.blockNumber == 0) revert RlnMembership_NotCommitted(commitHash);
        if (pledge.blockNumber >= block.number) revert RlnMembership_RevealTooEarly(pledge.blockNumber);
        uint256 expiry = pledge.timestamp + COMMIT_LIFETIME_SECONDS;
        if (block.timestamp > expiry) revert RlnMembership_CommitExpired(commitHash, expiry);
        delete _commits[msg.sender][commitHash];
    }

    function _expiryOf(Commit storage pledge) private view returns (uint256) {
        return pledge.timestamp + COMMIT_LIFETIME_SECONDS;
    }

    function _requireAddress(address account) private view {
        if (account == address(0) || account == address(this) || account == address(_token)) {
            revert RlnMembership_InvalidAddress(account);
        }
    }

    function _requireWithin(bytes32 name, uint256 value, uint256 minimum, uint256 maximum) private pure {
        if (value < minimum || value > maximum) {
            revert RlnMembership_InvalidParameter(name, value, minimum, maximum);
        }
    }
}
