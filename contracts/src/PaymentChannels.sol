// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IPaymentChannels} from "../interfaces/IPaymentChannels.sol";
import {PermitSignature} from "../interfaces/PermitSignature.sol";
import {Burn} from "../libraries/Burn.sol";
import {ChannelWord, ChannelWords} from "../libraries/ChannelWord.sol";
import {TokenPull} from "../libraries/TokenPull.sol";
import {Vouchers} from "../libraries/Vouchers.sol";

/// @title Prepaid one-way payment channels
/// @dev There is no reentrancy guard, on purpose: every function finishes its own books before it touches the token,
/// and touches it last, so a call back finds nothing half done. A guard would cost each settlement 400 gas.
contract PaymentChannels is IPaymentChannels, EIP712 {
    using SafeERC20 for IERC20;
    using TokenPull for IERC20;

    /// @inheritdoc IPaymentChannels
    /// @dev A fresh voucher is due after as many ticks; 64 hashes cost a claim about 15k gas at most.
    uint256 public constant MAX_TICKS = 64;

    /// @inheritdoc IPaymentChannels
    /// @dev A higher share would punish honest payments more than wash trading.
    uint256 public constant MAX_BURN_BPS = 500;

    /// @inheritdoc IPaymentChannels
    /// @dev A payer must not find its deposit locked for ever by a slip at deployment.
    uint256 public constant MAX_THAW_SECONDS = 30 days;

    /// @inheritdoc IPaymentChannels
    address public constant BURN_ADDRESS = Burn.SINK;

    /// @inheritdoc IPaymentChannels
    bytes32 public constant VOUCHER_TYPEHASH = Vouchers.TYPEHASH;

    IERC20 private immutable _token;
    uint256 private immutable _thawSeconds;
    uint256 private immutable _burnBps;

    mapping(bytes32 channelId => ChannelWord) private _channels;
    mapping(address payee => address) private _payouts;
    mapping(address payer => uint256) private _refunds;
    uint256 private _burnAccrued;

    /// @param token_ A plain ERC-20: no fee on transfer, no rebasing, no hooks.
    /// @param thawSeconds_ From the request to close to the withdrawal, 1 to {MAX_THAW_SECONDS}.
    /// @param burnBps_ Burnt share of settlements, 0 to {MAX_BURN_BPS} hundredths of a percent.
    constructor(address token_, uint256 thawSeconds_, uint256 burnBps_)
        EIP712("Postrider PaymentChannels", "1")
    {
        if (token_.code.length == 0) revert PaymentChannels_InvalidToken(token_);
        if (thawSeconds_ == 0 || thawSeconds_ > MAX_THAW_SECONDS) {
            revert PaymentChannels_InvalidThaw(thawSeconds_, MAX_THAW_SECONDS);
        }
        if (burnBps_ > MAX_BURN_BPS) revert PaymentChannels_InvalidBurnShare(burnBps_, MAX_BURN_BPS);
        _token = IERC20(token_);
        _thawSeconds = thawSeconds_;
        _burnBps = burnBps_;
    }

    // ---------------------------------------------------------------- opening and funding

    /// @inheritdoc IPaymentChannels
    function open(address payee, address signer, bytes32 salt, uint96 amount)
        external
        returns (bytes32 channelId)
    {
        return _open(payee, signer, salt, amount);
    }

    /// @inheritdoc IPaymentChannels
    function openWithPermit(
        address payee,
        address signer,
        bytes32 salt,
        uint96 amount,
        PermitSignature calldata permit
    ) external returns (bytes32 channelId) {
        _usePermit(permit, amount);
        return _open(payee, signer, salt, amount);
    }

    /// @inheritdoc IPaymentChannels
    function topUp(bytes32 channelId, uint96 amount) external {
        _topUp(channelId, amount);
    }

    /// @inheritdoc IPaymentChannels
    function topUpWithPermit(bytes32 channelId, uint96 amount, PermitSignature calldata permit) external {
        _usePermit(permit, amount);
        _topUp(channelId, amount);
    }

    // ---------------------------------------------------------------- redeeming

    /// @inheritdoc IPaymentChannels
    function settle(ChannelDescriptor calldata descriptor, Claim calldata claim)
        external
        returns (uint256 paid)
    {
        address payee = descriptor.payee;
        address signer = descriptor.signer;
        bytes32 channelId = _idOf(descriptor.payer, payee, signer, descriptor.salt);
        ChannelWord word = _channels[channelId];
        (bytes4 fault, uint256 total) = _judge(_domainSeparatorV4(), channelId, word, signer, claim);
        if (fault != 0) _refuse(fault, channelId, word, signer, claim.tickCount, total);
        paid = _credit(channelId, word, payee, total);
        _payOut(payee, paid);
    }

    /// @inheritdoc IPaymentChannels
    function settleMany(address payee, ChannelClaim[] calldata items) external returns (uint256 paid) {
        bytes32 separator = _domainSeparatorV4();
        for (uint256 i = 0; i < items.length; ++i) {
            ChannelClaim calldata item = items[i];
            address signer = item.signer;
            bytes32 channelId = _idOf(item.payer, payee, signer, item.salt);
            ChannelWord word = _channels[channelId];
            (bytes4 fault, uint256 total) = _judge(separator, channelId, word, signer, item.claim);
            if (fault != 0) {
                emit ClaimSkipped(channelId, payee, fault);
                continue;
            }
            paid += _credit(channelId, word, payee, total);
        }
        _payOut(payee, paid);
    }

    /// @inheritdoc IPaymentChannels
    function close(ChannelDescriptor calldata descriptor, Claim calldata claim)
        external
        returns (uint256 paid)
    {
        _onlyAccount(descriptor.payee);
        bytes32 channelId = channelIdOf(descriptor);
        ChannelWord word = _channels[channelId];
        address signer = descriptor.signer;
        (bytes4 fault, uint256 total) = _judgeLast(_domainSeparatorV4(), channelId, word, signer, claim);
        if (fault != 0) _refuse(fault, channelId, word, signer, claim.tickCount, total);
        uint256 withheld;
        (paid, withheld) = _close(channelId, word, descriptor.payer, total);
        if (withheld > 0) _burnAccrued += withheld;
        _payOut(msg.sender, paid);
    }

    /// @inheritdoc IPaymentChannels
    function closeMany(ChannelClaim[] calldata items) external returns (uint256 paid) {
        bytes32 separator = _domainSeparatorV4();
        uint256 withheld;
        for (uint256 i = 0; i < items.length; ++i) {
            ChannelClaim calldata item = items[i];
            bytes32 channelId = _idOf(item.payer, msg.sender, item.signer, item.salt);
            ChannelWord word = _channels[channelId];
            (bytes4 fault, uint256 total) = _judgeLast(separator, channelId, word, item.signer, item.claim);
            if (fault != 0) {
                emit ClaimSkipped(channelId, msg.sender, fault);
                continue;
            }
            (uint256 itemPaid, uint256 itemWithheld) = _close(channelId, word, item.payer, total);
            paid += itemPaid;
            withheld += itemWithheld;
        }
        if (withheld > 0) _burnAccrued += withheld;
        _payOut(msg.sender, paid);
    }

    // ---------------------------------------------------------------- leaving

    /// @inheritdoc IPaymentChannels
    function requestClose(ChannelDescriptor calldata descriptor) external {
        _onlyAccount(descriptor.payer);
        bytes32 channelId = channelIdOf(descriptor);
        ChannelWord word = _channels[channelId];
        if (!word.isOpen()) revert PaymentChannels_WrongStatus(channelId, word.status());
        // Fits 40 bits: the thaw is at most 30 days, and 40 bits of seconds last until the year 36812.
        uint256 closeAt = block.timestamp + _thawSeconds;
        _channels[channelId] = word.withClosing(closeAt);
        emit CloseRequested(channelId, descriptor.payer, descriptor.payee, closeAt);
    }

    /// @inheritdoc IPaymentChannels
    function withdraw(ChannelDescriptor calldata descriptor) external returns (uint256 refund) {
        _onlyAccount(descriptor.payer);
        bytes32 channelId = channelIdOf(descriptor);
        ChannelWord word = _channels[channelId];
        if (word.status() != ChannelStatus.Closing) {
            revert PaymentChannels_WrongStatus(channelId, word.status());
        }
        if (block.timestamp < word.closeAt()) revert PaymentChannels_Thawing(channelId, word.closeAt());
        _channels[channelId] = word.withClosed();
        uint256 settled = word.settled();
        uint256 withheld = Burn.shareDown(settled, _burnBps);
        if (withheld > 0) _burnAccrued += withheld;
        refund = word.deposit() - settled;
        emit ChannelWithdrawn(channelId, descriptor.payer, descriptor.payee, settled, refund);
        if (refund > 0) _token.safeTransfer(descriptor.payer, refund);
    }

    /// @inheritdoc IPaymentChannels
    function withdrawRefund(address payer) external returns (uint256 amount) {
        amount = _refunds[payer];
        if (amount == 0) revert PaymentChannels_NothingDue(payer);
        _refunds[payer] = 0;
        emit RefundWithdrawn(payer, amount);
        _token.safeTransfer(payer, amount);
    }

    // ---------------------------------------------------------------- payout and burn

    /// @inheritdoc IPaymentChannels
    function setPayoutAddress(address payee, address payout) external {
        address previous = payoutAddressOf(payee);
        _onlyAccount(previous);
        if (_isForbidden(payout)) revert PaymentChannels_InvalidPayout(payout);
        _payouts[payee] = payout;
        emit PayoutAddressSet(payee, previous, payout);
    }

    /// @inheritdoc IPaymentChannels
    function flushBurn() external returns (uint256 amount) {
        uint256 accrued = _burnAccrued;
        if (accrued <= Burn.RESIDUE) revert PaymentChannels_NothingDue(Burn.SINK);
        _burnAccrued = Burn.RESIDUE;
        amount = accrued - Burn.RESIDUE;
        emit BurnFlushed(amount);
        _token.safeTransfer(Burn.SINK, amount);
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc IPaymentChannels
    function channel(bytes32 channelId) external view returns (Channel memory) {
        return _channels[channelId].unpack();
    }

    /// @inheritdoc IPaymentChannels
    function channels(bytes32[] calldata channelIds) external view returns (Channel[] memory states) {
        states = new Channel[](channelIds.length);
        for (uint256 i = 0; i < channelIds.length; ++i) {
            states[i] = _channels[channelIds[i]].unpack();
        }
    }

    /// @inheritdoc IPaymentChannels
    function channelIdOf(ChannelDescriptor calldata descriptor) public view returns (bytes32) {
        return _idOf(descriptor.payer, descriptor.payee, descriptor.signer, descriptor.salt);
    }

    /// @inheritdoc IPaymentChannels
    function hashVoucher(Voucher calldata voucher) external view returns (bytes32) {
        return Vouchers.digest(
            _domainSeparatorV4(),
            voucher.channelId,
            voucher.cumulative,
            voucher.tickAnchor,
            voucher.tickValue
        );
    }

    /// @inheritdoc IPaymentChannels
    function domainSeparator() external view returns (bytes32) {
        return _domainSeparatorV4();
    }

    /// @inheritdoc IPaymentChannels
    function previewSettle(ChannelDescriptor calldata descriptor, Claim calldata claim)
        external
        view
        returns (bytes4 reason, uint256 paid, uint256 burnt)
    {
        bytes32 channelId = channelIdOf(descriptor);
        ChannelWord word = _channels[channelId];
        uint256 total;
        (reason, total) = _judge(_domainSeparatorV4(), channelId, word, descriptor.signer, claim);
        if (reason == 0) {
            burnt = _burntBetween(word.settled(), total);
            paid = total - word.settled() - burnt;
        }
    }

    /// @inheritdoc IPaymentChannels
    function refundOf(address payer) external view returns (uint256) {
        return _refunds[payer];
    }

    /// @inheritdoc IPaymentChannels
    function payoutAddressOf(address payee) public view returns (address) {
        address payout = _payouts[payee];
        return payout == address(0) ? payee : payout;
    }

    /// @inheritdoc IPaymentChannels
    function burnAccrued() external view returns (uint256) {
        return _burnAccrued;
    }

    /// @inheritdoc IPaymentChannels
    function parameters()
        external
        view
        returns (address token_, uint256 thawSeconds_, uint256 burnBps_)
    {
        return (address(_token), _thawSeconds, _burnBps);
    }

    // ---------------------------------------------------------------- inside: funding

    function _open(address payee, address signer, bytes32 salt, uint96 amount)
        private
        returns (bytes32 channelId)
    {
        if (_isForbidden(payee)) revert PaymentChannels_InvalidPayee(payee);
        if (signer == address(0)) revert PaymentChannels_InvalidSigner(signer);
        if (amount == 0) revert PaymentChannels_ZeroAmount();
        channelId = _idOf(msg.sender, payee, signer, salt);
        ChannelStatus status = _channels[channelId].status();
        if (status != ChannelStatus.None) revert PaymentChannels_AlreadyOpened(channelId, status);
        _channels[channelId] = ChannelWords.opened(amount);
        emit ChannelOpened(channelId, msg.sender, payee, signer, salt, amount);
        uint256 received = _token.pull(amount);
        if (received != amount) revert PaymentChannels_InexactTransfer(received, amount);
    }

    function _topUp(bytes32 channelId, uint96 amount) private {
        if (amount == 0) revert PaymentChannels_ZeroAmount();
        ChannelWord word = _channels[channelId];
        if (!word.isOpen()) revert PaymentChannels_WrongStatus(channelId, word.status());
        uint256 deposit;
        unchecked {
            // Cannot overflow: both are 96 bits.
            deposit = word.deposit() + amount;
        }
        if (deposit > type(uint96).max) {
            revert PaymentChannels_DepositOverflow(channelId, word.deposit(), amount);
        }
        _channels[channelId] = word.withDeposited(amount);
        emit ChannelToppedUp(channelId, amount, deposit);
        _token.safeTransferFrom(msg.sender, address(this), amount);
    }

    function _usePermit(PermitSignature calldata permit, uint256 amount) private {
        (bool ok, uint256 allowance) = _token.tryPermit(permit, amount);
        if (!ok) revert PaymentChannels_PermitFailed(allowance, amount);
    }

    // ---------------------------------------------------------------- inside: claims

    /// @dev What is wrong with a claim, as the selector of an error (0: nothing), and the total that it claims.
    /// The only place where claims are judged. Cheapest check first.
    function _judge(
        bytes32 separator,
        bytes32 channelId,
        ChannelWord word,
        address signer,
        Claim calldata claim
    ) private view returns (bytes4 fault, uint256 total) {
        uint256 cumulative = claim.cumulative;
        uint256 tickValue = claim.tickValue;
        uint256 tickCount = claim.tickCount;
        unchecked {
            // Cannot overflow: 128 bits plus 8 bits times 64 bits.
            total = cumulative + tickCount * tickValue;
        }
        if (!word.honoursClaims()) return (PaymentChannels_WrongStatus.selector, total);
        if (total <= word.settled()) return (PaymentChannels_NotGrowing.selector, total);
        if (total > word.deposit()) return (PaymentChannels_ExceedsDeposit.selector, total);
        if (tickCount > 0) {
            if (tickCount > MAX_TICKS) return (PaymentChannels_TooManyTicks.selector, total);
            if (!Vouchers.leadsTo(claim.tickAnchor, claim.tickPreimage, tickCount)) {
                return (PaymentChannels_TickMismatch.selector, total);
            }
        }
        bytes32 digest = Vouchers.digest(separator, channelId, cumulative, claim.tickAnchor, tickValue);
        if (!Vouchers.isSignedBy(digest, claim.r, claim.vs, signer)) {
            return (PaymentChannels_InvalidSignature.selector, total);
        }
    }

    /// @dev As {_judge} for a closing, which a claim that does not grow must not stop: anyone could settle it first.
    function _judgeLast(
        bytes32 separator,
        bytes32 channelId,
        ChannelWord word,
        address signer,
        Claim calldata claim
    ) private view returns (bytes4 fault, uint256 total) {
        (fault, total) = _judge(separator, channelId, word, signer, claim);
        if (fault == PaymentChannels_NotGrowing.selector) return (0, word.settled());
    }

    /// @dev Reverts with the error behind a selector that {_judge} returned.
    function _refuse(
        bytes4 fault,
        bytes32 channelId,
        ChannelWord word,
        address signer,
        uint256 tickCount,
        uint256 total
    ) private pure {
        if (fault == PaymentChannels_WrongStatus.selector) {
            revert PaymentChannels_WrongStatus(channelId, word.status());
        }
        if (fault == PaymentChannels_NotGrowing.selector) {
            revert PaymentChannels_NotGrowing(channelId, total, word.settled());
        }
        if (fault == PaymentChannels_ExceedsDeposit.selector) {
            revert PaymentChannels_ExceedsDeposit(channelId, total, word.deposit());
        }
        if (fault == PaymentChannels_TooManyTicks.selector) {
            revert PaymentChannels_TooManyTicks(channelId, tickCount, MAX_TICKS);
        }
        if (fault == PaymentChannels_TickMismatch.selector) {
            revert PaymentChannels_TickMismatch(channelId, tickCount);
        }
        revert PaymentChannels_InvalidSignature(channelId, signer);
    }

    /// @dev Records a claim that {_judge} found good.
    /// @return paid What the payee gets; the rest of the growth stays here as the burnt share.
    function _credit(bytes32 channelId, ChannelWord word, address payee, uint256 total)
        private
        returns (uint256 paid)
    {
        _channels[channelId] = word.withSettled(total);
        unchecked {
            // Cannot underflow: the total grew, and a share of the growth is at most the growth.
            uint256 amount = total - word.settled();
            uint256 burnt = _burntBetween(word.settled(), total);
            paid = amount - burnt;
            emit Settled(channelId, payee, total, amount, burnt);
        }
    }

    /// @dev Records the end of a channel of which the caller is the payee, after a last claim if the total grew.
    /// @return paid What the payee gets for the last claim.
    /// @return withheld The burnt share of all that was ever settled, now free to be flushed.
    function _close(bytes32 channelId, ChannelWord word, address payer, uint256 total)
        private
        returns (uint256 paid, uint256 withheld)
    {
        ChannelWord closed = word.withClosed();
        if (total > word.settled()) {
            paid = _credit(channelId, closed, msg.sender, total);
        } else {
            _channels[channelId] = closed;
        }
        uint256 refund = word.deposit() - total;
        if (refund > 0) _refunds[payer] += refund;
        withheld = Burn.shareDown(total, _burnBps);
        emit ChannelClosed(channelId, payer, msg.sender, total, refund);
    }

    /// @dev Sends earnings to where the payee wants them.
    function _payOut(address payee, uint256 paid) private {
        if (paid > 0) _token.safeTransfer(payoutAddressOf(payee), paid);
    }

    /// @dev Burnt share of what lies between two totals. Taken of the totals, so that many small claims burn as much
    /// as one large claim.
    function _burntBetween(uint256 settled, uint256 total) private view returns (uint256) {
        unchecked {
            // A share of the larger total is not smaller.
            return Burn.shareDown(total, _burnBps) - Burn.shareDown(settled, _burnBps);
        }
    }

    // ---------------------------------------------------------------- inside: names and guards

    function _idOf(address payer, address payee, address signer, bytes32 salt)
        private
        view
        returns (bytes32)
    {
        return keccak256(
            abi.encode(payer, payee, address(_token), salt, signer, address(this), block.chainid)
        );
    }

    /// @dev Paying one of these would strand tokens, and paying this contract would break its books.
    function _isForbidden(address account) private view returns (bool) {
        return account == address(0) || account == address(this) || account == address(_token);
    }

    function _onlyAccount(address required) private view {
        if (msg.sender != required) revert PaymentChannels_Unauthorized(msg.sender, required);
    }
}
