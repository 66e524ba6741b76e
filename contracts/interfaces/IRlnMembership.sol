// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {PermitSignature} from "./PermitSignature.sol";

/// @title Memberships of the rate-limiting group
/// @notice A member deposits `limit × price` for an identity commitment and may then send `limit` messages per epoch
/// anonymously. Whoever exceeds it reveals its secret, and anybody who knows the secret takes the membership away:
/// part of the deposit is burnt, part rewards the finder.
///
/// There is no tree here. The contract keeps a running hash over every change,
/// `accumulator = keccak256(abi.encode(accumulator, index, commitment, limit))`, from 0; an erased leaf is
/// `(index, 0, 0)`. Nodes build the depth-20 Poseidon tree of `Poseidon(commitment, limit)` from the events, and a
/// light client checks a snapshot from anyone against {accumulator}. Amounts are base units of the token. Times are
/// Unix seconds. Nobody owns this contract.
interface IRlnMembership {
    // ---------------------------------------------------------------- types

    /// @notice Where a membership is in its life. A commitment is never registered twice.
    enum MemberStatus {
        None, // 0: never registered
        Active, // 1: in the group
        Leaving, // 2: out of the group, deposit frozen and still at risk
        Withdrawn, // 3: deposit paid back
        Slashed // 4: secret revealed, deposit gone
    }

    /// @notice A membership; one storage slot.
    /// @param owner Who may leave and is paid back.
    /// @param index Position in the tree; never used again.
    /// @param limit Messages per epoch.
    /// @param withdrawableAt When the deposit may be withdrawn; 0 unless leaving or withdrawn.
    /// @param status See {MemberStatus}.
    struct Member {
        address owner;
        uint32 index;
        uint16 limit;
        uint40 withdrawableAt;
        MemberStatus status;
    }

    // ---------------------------------------------------------------- events

    /// @notice A leaf changed: fold these, and nothing else, to build the tree. An erased leaf has commitment 0 and
    /// limit 0. `accumulator` is the running hash after the change.
    event MembershipChanged(uint256 indexed index, uint256 commitment, uint256 limit, bytes32 accumulator);

    /// @notice A member joined. `deposit` can be paid back, `burnt` cannot; `payer` paid both.
    event MemberRegistered(
        uint256 indexed commitment,
        address indexed owner,
        address indexed payer,
        uint256 index,
        uint256 limit,
        uint256 deposit,
        uint256 burnt
    );

    /// @notice A member left the group; its deposit is frozen until `withdrawableAt`.
    event MemberLeft(
        uint256 indexed commitment, address indexed owner, uint256 index, uint256 withdrawableAt
    );

    /// @notice A deposit was paid back.
    event MemberWithdrawn(uint256 indexed commitment, address indexed owner, uint256 amount);

    /// @notice `slasher` promised to reveal a secret; `commitHash` hides which.
    event SlashCommitted(address indexed slasher, bytes32 indexed commitHash);

    /// @notice A member was slashed.
    /// @param commitment The member.
    /// @param slasher Who revealed.
    /// @param receiver Who got `reward`.
    /// @param index Its position in the tree.
    /// @param secret The identity secret; Poseidon of it is `commitment`.
    /// @param reward Base units paid.
    /// @param burnt Base units burnt.
    event MemberSlashed(
        uint256 indexed commitment,
        address indexed slasher,
        address indexed receiver,
        uint256 index,
        uint256 secret,
        uint256 reward,
        uint256 burnt
    );

    /// @notice Burnt shares were sent to {BURN_ADDRESS}.
    event BurnFlushed(uint256 amount);

    // ---------------------------------------------------------------- errors

    /// @notice The token at deployment is not a contract.
    error RlnMembership_InvalidToken(address token);
    /// @notice A parameter at deployment is out of its bounds.
    error RlnMembership_InvalidParameter(bytes32 name, uint256 value, uint256 minimum, uint256 maximum);
    /// @notice The commitment is 0 or not below the field modulus.
    error RlnMembership_InvalidCommitment(uint256 commitment);
    /// @notice The secret is 0 or not below the field modulus.
    error RlnMembership_InvalidSecret();
    /// @notice The limit is 0 or above {MAX_LIMIT}.
    error RlnMembership_InvalidLimit(uint256 limit, uint256 maximum);
    /// @notice The owner or the receiver is zero, the token or this contract.
    error RlnMembership_InvalidAddress(address account);
    /// @notice The commitment was registered before.
    error RlnMembership_AlreadyRegistered(uint256 commitment, MemberStatus status);
    /// @notice Every index was given out.
    error RlnMembership_GroupFull(uint256 capacity);
    /// @notice The permit was refused and the allowance in place does not cover the amount.
    error RlnMembership_PermitFailed(uint256 allowance, uint256 amount);
    /// @notice The token moved another amount than was asked (fee on transfer); such tokens are not supported.
    error RlnMembership_InexactTransfer(uint256 received, uint256 amount);
    /// @notice Only `required` may do this.
    error RlnMembership_Unauthorized(address caller, address required);
    /// @notice The membership is not in a state that allows the call.
    error RlnMembership_WrongStatus(uint256 commitment, MemberStatus status);
    /// @notice The deposit is still frozen.
    error RlnMembership_Frozen(uint256 commitment, uint256 withdrawableAt);
    /// @notice The caller made this promise before and it still stands.
    error RlnMembership_AlreadyCommitted(bytes32 commitHash, uint256 committedAtBlock);
    /// @notice The caller made no such promise.
    error RlnMembership_NotCommitted(bytes32 commitHash);
    /// @notice A promise is revealed in a later block than it was made.
    error RlnMembership_RevealTooEarly(uint256 committedAtBlock);
    /// @notice The promise is too old; commit again.
    error RlnMembership_CommitExpired(bytes32 commitHash, uint256 expiredAt);
    /// @notice There is nothing to burn.
    error RlnMembership_NothingDue();

    // ---------------------------------------------------------------- joining and leaving

    /// @notice Registers `commitment` and pulls the deposit from the caller, who need not be the owner.
    /// Needs an allowance. A commitment is visible before it is registered: whoever sees another owner than its own
    /// on it must take a fresh identity.
    /// @param commitment Poseidon of the identity secret, in 1 … p - 1, never registered before.
    /// @param limit Messages per epoch, in 1 … {MAX_LIMIT}.
    /// @param owner Who may leave and is paid back.
    /// @return index Position in the tree.
    function register(uint256 commitment, uint32 limit, address owner) external returns (uint256 index);

    /// @notice As {register}, after trying the caller's permit. A permit that somebody else submitted first does not
    /// matter as long as the allowance covers the deposit; else {RlnMembership_PermitFailed}.
    function registerWithPermit(
        uint256 commitment,
        uint32 limit,
        address owner,
        PermitSignature calldata permit
    ) external returns (uint256 index);

    /// @notice The owner leaves: the leaf is erased at once, the deposit stays frozen and can still be slashed.
    function leaveGroup(uint256 commitment) external;

    /// @notice Pays the deposit back to the owner after the freeze. Anyone may call.
    /// @return amount Base units paid.
    function withdraw(uint256 commitment) external returns (uint256 amount);

    // ---------------------------------------------------------------- slashing

    /// @notice Promises to reveal a secret. Anyone may call. See {slashCommitmentOf}.
    function commitSlash(bytes32 commitHash) external;

    /// @notice Reveals a secret promised in an earlier block. The member is erased if it still is in the group; of its
    /// deposit the burnt share, rounded up, is burnt and the rest goes to `receiver`.
    /// @param secret The identity secret.
    /// @param nonce The value hidden in the promise.
    /// @param receiver Who is rewarded.
    /// @return reward Base units paid to `receiver`.
    function revealSlash(uint256 secret, bytes32 nonce, address receiver) external returns (uint256 reward);

    /// @notice Sends accrued burnt shares to {BURN_ADDRESS}. Anyone may call. One base unit stays behind, so that the
    /// next registration does not pay for a fresh storage slot.
    function flushBurn() external returns (uint256 amount);

    // ---------------------------------------------------------------- views

    /// @notice What to pass to {commitSlash}: `keccak256(abi.encode(slasher, secret, nonce))`. Compute it at home: a
    /// call over the network would show the secret to the endpoint.
    function slashCommitmentOf(address slasher, uint256 secret, bytes32 nonce) external pure returns (bytes32);

    /// @notice When `slasher` promised `commitHash`; both 0 if it did not or has revealed it.
    function slashCommit(address slasher, bytes32 commitHash)
        external
        view
        returns (uint256 blockNumber, uint256 expiresAt);

    /// @notice One membership; all zero if it was never registered.
    function member(uint256 commitment) external view returns (Member memory);

    /// @notice The running hash over all changes so far.
    function accumulator() external view returns (bytes32);

    /// @notice The running hash and the number of indexes given out, at one block.
    function state() external view returns (bytes32 accumulator_, uint256 nextIndex_);

    /// @notice What a membership costs.
    /// @return deposit The part that is paid back, base units.
    /// @return burnt The part that is burnt at once, base units.
    function costOf(uint32 limit) external view returns (uint256 deposit, uint256 burnt);

    /// @notice The identity commitment of a secret: Poseidon(secret). For tests and tools; never send a live secret.
    function commitmentOf(uint256 secret) external pure returns (uint256);

    /// @notice Burnt shares that are still here, base units.
    function burnAccrued() external view returns (uint256);

    /// @notice The parameters fixed at deployment.
    /// @return token_ The ERC-20.
    /// @return pricePerMessage_ Base units per message per epoch.
    /// @return burnBps_ Share of the price burnt at registration, in hundredths of a percent.
    /// @return slashBurnBps_ Share of the deposit burnt at a slash, in hundredths of a percent.
    /// @return freezeSeconds_ From {leaveGroup} to {withdraw}.
    function parameters()
        external
        view
        returns (
            address token_,
            uint256 pricePerMessage_,
            uint256 burnBps_,
            uint256 slashBurnBps_,
            uint256 freezeSeconds_
        );

    /// @notice The BN254 scalar field modulus p.
    function FIELD_MODULUS() external view returns (uint256);

    /// @notice Largest number of messages per epoch.
    function MAX_LIMIT() external view returns (uint256);

    /// @notice How many indexes there are: 2^20.
    function CAPACITY() external view returns (uint256);

    /// @notice For how long a promise to reveal stands, seconds.
    function COMMIT_LIFETIME_SECONDS() external view returns (uint256);

    /// @notice Where burnt tokens go; nobody has its key.
    function BURN_ADDRESS() external view returns (address);
}
