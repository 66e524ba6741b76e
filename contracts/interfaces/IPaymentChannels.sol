// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {PermitSignature} from "./PermitSignature.sol";

/// @title Prepaid one-way payment channels
/// @notice A payer locks tokens for one payee and signs growing totals (vouchers) off chain; between two
/// vouchers it reveals hash-chain preimages (ticks). The payee redeems the newest total here.
///
/// A channel's id is `keccak256(abi.encode(payer, payee, token, salt, signer, address(this), block.chainid))`.
/// It goes None → Open → (Closing →) Closed, is never deleted and never opened again, so a voucher can never
/// be paid twice. Amounts are base units of {token}. Times are Unix seconds. Nobody owns this contract: all
/// parameters are fixed at deployment.
interface IPaymentChannels {
    // ---------------------------------------------------------------- types

    /// @notice Where a channel is in its life.
    enum ChannelStatus {
        None, // 0: never opened
        Open, // 1: settle, top up, close
        Closing, // 2: the payer asked to close; settle and close go on until the payer withdraws
        Closed // 3: final
    }

    /// @notice What names a channel, with the token, this contract and the chain. Travels in calldata.
    /// @param payer Who opened it; refunds go here.
    /// @param payee Who is paid.
    /// @param signer Key that signs vouchers for the payer; an externally owned key, never a contract.
    /// @param salt Any value; lets one pair have many channels.
    struct ChannelDescriptor {
        address payer;
        address payee;
        address signer;
        bytes32 salt;
    }

    /// @notice The state of a channel; one storage slot.
    /// @param deposit All that was ever paid in, base units.
    /// @param settled All that was ever claimed, the burnt share included; never falls, never above `deposit`.
    /// @param closeAt When the payer may withdraw; 0 unless the payer asked to close.
    /// @param status See {ChannelStatus}.
    struct Channel {
        uint96 deposit;
        uint96 settled;
        uint40 closeAt;
        ChannelStatus status;
    }

    /// @notice What the payer's signer signs (EIP-712).
    /// @param channelId The channel.
    /// @param cumulative Total owed since the channel was opened, base units.
    /// @param tickAnchor End of a SHA-256 chain; 0 if no ticks are used.
    /// @param tickValue Base units that each revealed preimage adds to `cumulative`.
    struct Voucher {
        bytes32 channelId;
        uint128 cumulative;
        bytes32 tickAnchor;
        uint64 tickValue;
    }

    /// @notice A voucher with its signature and the newest tick. The claimed total is
    /// `cumulative + tickCount * tickValue`. A claim of all zeroes is "no claim", accepted by {close} and {closeMany} only.
    /// All of it is static, the signature in compact form: a batch would otherwise pay some 1,300 gas per item for
    /// offsets and padding, and a signature of a wrong length cannot be written down.
    /// @param cumulative As in the voucher.
    /// @param tickAnchor As in the voucher.
    /// @param tickValue As in the voucher.
    /// @param tickCount Ticks claimed, 0 to {MAX_TICKS}.
    /// @param tickPreimage SHA-256 applied `tickCount` times to it gives `tickAnchor`; ignored if no tick is claimed.
    /// @param r First word of the signature over the voucher.
    /// @param vs Second word, compact (EIP-2098): s, with the parity of v (v - 27) in the top bit. s must be low.
    struct Claim {
        uint128 cumulative;
        bytes32 tickAnchor;
        uint64 tickValue;
        uint8 tickCount;
        bytes32 tickPreimage;
        bytes32 r;
        bytes32 vs;
    }

    /// @notice One item of a batch: the descriptor without the payee, which the whole batch shares, and the claim.
    struct ChannelClaim {
        address payer;
        address signer;
        bytes32 salt;
        Claim claim;
    }

    // ---------------------------------------------------------------- events

    /// @notice A channel was opened with `deposit` base units.
    event ChannelOpened(
        bytes32 indexed channelId,
        address indexed payer,
        address indexed payee,
        address signer,
        bytes32 salt,
        uint256 deposit
    );

    /// @notice `amount` was added; the channel's deposit is now `deposit`.
    event ChannelToppedUp(bytes32 indexed channelId, uint256 amount, uint256 deposit);

    /// @notice A claim was honoured. Payer and salt are in {ChannelOpened}.
    /// @param channelId The channel.
    /// @param payee Its payee.
    /// @param settled Total claimed since the channel was opened, after this claim.
    /// @param amount What this claim added, the burnt share included.
    /// @param burnt The part of `amount` that is burnt; the payout address receives `amount - burnt`.
    event Settled(
        bytes32 indexed channelId, address indexed payee, uint256 settled, uint256 amount, uint256 burnt
    );

    /// @notice An item of a batch was left out; nothing of that channel changed.
    /// @param channelId The id computed from the item and the payee of the batch.
    /// @param payee The payee of the batch.
    /// @param reason Selector of the error with which the single call would have reverted.
    event ClaimSkipped(bytes32 indexed channelId, address indexed payee, bytes4 reason);

    /// @notice The payer asked to close. Claims are honoured until the payer withdraws, at `closeAt` the earliest.
    event CloseRequested(
        bytes32 indexed channelId, address indexed payer, address indexed payee, uint256 closeAt
    );

    /// @notice The payee closed the channel; `refund` was credited to {refundOf} the payer.
    event ChannelClosed(
        bytes32 indexed channelId,
        address indexed payer,
        address indexed payee,
        uint256 settled,
        uint256 refund
    );

    /// @notice The payer took `refund` back after the thaw; the channel is closed.
    event ChannelWithdrawn(
        bytes32 indexed channelId,
        address indexed payer,
        address indexed payee,
        uint256 settled,
        uint256 refund
    );

    /// @notice The refund balance of `payer` was paid out.
    event RefundWithdrawn(address indexed payer, uint256 amount);

    /// @notice From now on what `payee` earns is sent to `payout`.
    event PayoutAddressSet(address indexed payee, address indexed previous, address indexed payout);

    /// @notice Burnt shares of closed channels were sent to {BURN_ADDRESS}.
    event BurnFlushed(uint256 amount);

    // ---------------------------------------------------------------- errors

    /// @notice The token at deployment is not a contract.
    error PaymentChannels_InvalidToken(address token);
    /// @notice The thaw at deployment is 0 or above {MAX_THAW_SECONDS}.
    error PaymentChannels_InvalidThaw(uint256 thawSeconds, uint256 maximum);
    /// @notice The burnt share at deployment is above {MAX_BURN_BPS}.
    error PaymentChannels_InvalidBurnShare(uint256 burnBps, uint256 maximum);
    /// @notice The payee is zero, the token or this contract.
    error PaymentChannels_InvalidPayee(address payee);
    /// @notice The signer is zero.
    error PaymentChannels_InvalidSigner(address signer);
    /// @notice The payout address is zero, the token or this contract.
    error PaymentChannels_InvalidPayout(address payout);
    /// @notice The amount is zero.
    error PaymentChannels_ZeroAmount();
    /// @notice The deposit would not fit 96 bits.
    error PaymentChannels_DepositOverflow(bytes32 channelId, uint256 deposit, uint256 amount);
    /// @notice This id was used before; choose another salt.
    error PaymentChannels_AlreadyOpened(bytes32 channelId, ChannelStatus status);
    /// @notice The channel is not in a state that allows the call.
    error PaymentChannels_WrongStatus(bytes32 channelId, ChannelStatus status);
    /// @notice The permit was refused and the allowance in place does not cover the amount.
    error PaymentChannels_PermitFailed(uint256 allowance, uint256 amount);
    /// @notice The token moved another amount than was asked (fee on transfer); such tokens are not supported.
    error PaymentChannels_InexactTransfer(uint256 received, uint256 amount);
    /// @notice Only `required` may do this.
    error PaymentChannels_Unauthorized(address caller, address required);
    /// @notice The total is not above what was settled before.
    error PaymentChannels_NotGrowing(bytes32 channelId, uint256 total, uint256 settled);
    /// @notice The total is above the deposit. Nothing is paid: the voucher stays good for after a top-up.
    error PaymentChannels_ExceedsDeposit(bytes32 channelId, uint256 total, uint256 deposit);
    /// @notice More ticks than one claim may carry.
    error PaymentChannels_TooManyTicks(bytes32 channelId, uint256 tickCount, uint256 maximum);
    /// @notice The preimage does not lead to the anchor in `tickCount` steps.
    error PaymentChannels_TickMismatch(bytes32 channelId, uint256 tickCount);
    /// @notice The signature has a high s or is not by `signer`.
    error PaymentChannels_InvalidSignature(bytes32 channelId, address signer);
    /// @notice The thaw is not over.
    error PaymentChannels_Thawing(bytes32 channelId, uint256 closeAt);
    /// @notice There is nothing to pay out to `account`, or to burn ({BURN_ADDRESS}).
    error PaymentChannels_NothingDue(address account);

    // ---------------------------------------------------------------- opening and funding

    /// @notice Opens a channel from the caller to `payee` and pulls `amount` from the caller.
    /// Needs an allowance. Reverts with {PaymentChannels_AlreadyOpened}, {PaymentChannels_InvalidPayee},
    /// {PaymentChannels_InvalidSigner}, {PaymentChannels_ZeroAmount}, {PaymentChannels_InexactTransfer}.
    /// @param payee Who will be paid.
    /// @param signer Key that signs vouchers; may be the caller.
    /// @param salt Any value not used before by the same four.
    /// @param amount Deposit in base units, above 0.
    /// @return channelId The new channel.
    function open(address payee, address signer, bytes32 salt, uint96 amount)
        external
        returns (bytes32 channelId);

    /// @notice As {open}, after trying the caller's permit. A permit that somebody else submitted first does not
    /// matter as long as the allowance covers `amount`; else {PaymentChannels_PermitFailed}.
    function openWithPermit(
        address payee,
        address signer,
        bytes32 salt,
        uint96 amount,
        PermitSignature calldata permit
    ) external returns (bytes32 channelId);

    /// @notice Adds `amount`, pulled from the caller, to an open channel. Anyone may call; refunds still go to the
    /// payer. Refused while closing ({PaymentChannels_WrongStatus}): open a new channel instead.
    /// A token that charges fees is refused at {open}, so what arrives is not measured again here.
    function topUp(bytes32 channelId, uint96 amount) external;

    /// @notice As {topUp}, after trying the caller's permit as {openWithPermit} does.
    function topUpWithPermit(bytes32 channelId, uint96 amount, PermitSignature calldata permit) external;

    // ---------------------------------------------------------------- redeeming

    /// @notice Redeems a claim: pays `total - settled`, less the burnt share, to the payee's payout address.
    /// Anyone may call: it only ever pays the payee. All or nothing.
    /// Reverts with {PaymentChannels_WrongStatus}, {PaymentChannels_NotGrowing},
    /// {PaymentChannels_ExceedsDeposit}, {PaymentChannels_TooManyTicks}, {PaymentChannels_TickMismatch},
    /// {PaymentChannels_InvalidSignature}.
    /// @return paid What the payout address received, base units.
    function settle(ChannelDescriptor calldata descriptor, Claim calldata claim)
        external
        returns (uint256 paid);

    /// @notice Redeems claims of several channels of one payee with one transfer at the end. An item that {settle}
    /// would refuse is left out with {ClaimSkipped}. Anyone may call.
    /// @return paid What the payout address received, base units; 0 if every item was left out.
    function settleMany(address payee, ChannelClaim[] calldata items) external returns (uint256 paid);

    /// @notice The payee closes the channel at once, with a last claim or without. A claim that does not grow
    /// (total ≤ settled, as when somebody settled it first) pays nothing and does not stop the closing; any other
    /// bad claim reverts as in {settle}. The rest is credited to {refundOf} the payer.
    /// @return paid What the payout address received, base units.
    function close(ChannelDescriptor calldata descriptor, Claim calldata claim)
        external
        returns (uint256 paid);

    /// @notice As {close} for several channels of the caller, with one transfer at the end. An item that {close}
    /// would refuse is left out with {ClaimSkipped}.
    /// @return paid What the payout address received, base units.
    function closeMany(ChannelClaim[] calldata items) external returns (uint256 paid);

    // ---------------------------------------------------------------- leaving

    /// @notice The payer asks to close an open channel; it may {withdraw} after the thaw. Cannot be undone.
    function requestClose(ChannelDescriptor calldata descriptor) external;

    /// @notice The payer takes back what was not settled, after the thaw. The channel is closed for ever.
    /// Reverts with {PaymentChannels_Thawing}, {PaymentChannels_WrongStatus}, {PaymentChannels_Unauthorized}.
    /// @return refund Base units sent to the payer.
    function withdraw(ChannelDescriptor calldata descriptor) external returns (uint256 refund);

    /// @notice Sends to `payer` what closings by payees left to it. Anyone may call.
    /// @return amount Base units sent; 0 reverts with {PaymentChannels_NothingDue}.
    function withdrawRefund(address payer) external returns (uint256 amount);

    // ---------------------------------------------------------------- payout and burn

    /// @notice Sets where the earnings of `payee` go. While it is unset only the payee may call; afterwards only the
    /// present payout address, so a stolen hot key cannot redirect earnings.
    function setPayoutAddress(address payee, address payout) external;

    /// @notice Sends the burnt shares of closed channels to {BURN_ADDRESS}. Anyone may call. The share is withheld from
    /// the payee at each settlement and belongs to nobody from then on; it is accrued for flushing when its channel
    /// closes, which keeps one storage write out of every settlement. One base unit stays behind, so that the next
    /// closing does not pay for a fresh storage slot.
    /// @return amount Base units burnt; 0 reverts with {PaymentChannels_NothingDue}.
    function flushBurn() external returns (uint256 amount);

    // ---------------------------------------------------------------- views

    /// @notice The state of a channel; all zero if it was never opened.
    function channel(bytes32 channelId) external view returns (Channel memory);

    /// @notice The states of several channels, in the order asked.
    function channels(bytes32[] calldata channelIds) external view returns (Channel[] memory);

    /// @notice The id of a channel, whether it was opened or not.
    function channelIdOf(ChannelDescriptor calldata descriptor) external view returns (bytes32);

    /// @notice The EIP-712 digest that the signer of the channel signs.
    function hashVoucher(Voucher calldata voucher) external view returns (bytes32);

    /// @notice `keccak256("Voucher(bytes32 channelId,uint128 cumulative,bytes32 tickAnchor,uint64 tickValue)")`.
    function VOUCHER_TYPEHASH() external view returns (bytes32);

    /// @notice The EIP-712 domain separator; name "Postrider PaymentChannels", version "1", this chain, this contract.
    function domainSeparator() external view returns (bytes32);

    /// @notice What {settle} would do now.
    /// @return reason 0, or the selector of the error with which it would revert.
    /// @return paid What the payout address would receive, base units.
    /// @return burnt What would be burnt, base units.
    function previewSettle(ChannelDescriptor calldata descriptor, Claim calldata claim)
        external
        view
        returns (bytes4 reason, uint256 paid, uint256 burnt);

    /// @notice What {withdrawRefund} would send to `payer`, base units.
    function refundOf(address payer) external view returns (uint256);

    /// @notice Where the earnings of `payee` go: its payout address, or itself while none is set.
    function payoutAddressOf(address payee) external view returns (address);

    /// @notice Burnt shares of closed channels that are still here, base units.
    function burnAccrued() external view returns (uint256);

    /// @notice The parameters fixed at deployment.
    /// @return token_ The ERC-20.
    /// @return thawSeconds_ From {requestClose} to {withdraw}.
    /// @return burnBps_ Burnt share of every settlement in hundredths of a percent.
    function parameters()
        external
        view
        returns (address token_, uint256 thawSeconds_, uint256 burnBps_);

    /// @notice Most ticks that one claim may carry.
    function MAX_TICKS() external view returns (uint256);

    /// @notice Upper bound of the burnt share, in hundredths of a percent.
    function MAX_BURN_BPS() external view returns (uint256);

    /// @notice Upper bound of the thaw, in seconds.
    function MAX_THAW_SECONDS() external view returns (uint256);

    /// @notice Where burnt tokens go; nobody has its key.
    function BURN_ADDRESS() external view returns (address);
}
