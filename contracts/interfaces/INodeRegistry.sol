// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title Staked nodes
/// @notice Who runs a node, with how much stake behind it, where it is reached and what it charges. An operator is
/// the account that registers; it is also the payee of the node's payment channels. Stake leaves only to the cold
/// withdrawal address, after an announced exit and the unbonding time, and never while a dispute holds it.
/// Amounts are base units of the token. Times are Unix seconds.
interface INodeRegistry {
    // ---------------------------------------------------------------- types

    /// @notice What a node charges, base units per unit of service.
    /// @param publish Per message relayed for a client.
    /// @param query Per page of a history query.
    /// @param push Per message pushed to a subscriber.
    struct PriceSheet {
        uint64 publish;
        uint64 query;
        uint64 push;
    }

    /// @notice What an operator says when it registers.
    /// @param peerKey Raw Ed25519 public key of the node; its libp2p peer id derives from it. Unique, not 0.
    /// @param signer Hot key that signs receipts and acknowledgements for the node.
    /// @param withdrawal Cold address; the only one that stake is ever paid to.
    /// @param services Bits: 1 relay, 2 store, 4 lightpush, 8 filter; at least one; unknown bits are kept.
    /// @param endpoints Multiaddresses without the peer id, 1 to {MAX_ENDPOINTS}, each 1 to {MAX_ENDPOINT_BYTES}.
    /// @param prices What it charges.
    struct Registration {
        bytes32 peerKey;
        address signer;
        address withdrawal;
        uint16 services;
        string[] endpoints;
        PriceSheet prices;
    }

    /// @notice All that is known of a node. `registeredAt` is 0 for an unknown operator.
    /// @param operator The account that registered.
    /// @param stake Base units at stake now.
    /// @param withdrawal Where the stake will go.
    /// @param pendingWithdrawal Proposed next withdrawal address that has not confirmed; 0 if none.
    /// @param signer Present hot key.
    /// @param peerKey Raw Ed25519 public key.
    /// @param services Bits as in {Registration}.
    /// @param registeredAt When it registered.
    /// @param exitAt When the stake may leave; 0 unless an exit was announced.
    /// @param locks Open disputes that hold the stake.
    /// @param prices What it charges.
    /// @param endpoints Where it is reached.
    struct Node {
        address operator;
        uint96 stake;
        address withdrawal;
        address pendingWithdrawal;
        address signer;
        bytes32 peerKey;
        uint16 services;
        uint40 registeredAt;
        uint40 exitAt;
        uint32 locks;
        PriceSheet prices;
        string[] endpoints;
    }

    // ---------------------------------------------------------------- events

    /// @notice A node joined.
    event NodeRegistered(
        address indexed operator,
        bytes32 indexed peerKey,
        address indexed signer,
        address withdrawal,
        uint16 services,
        uint256 stake,
        PriceSheet prices,
        string[] endpoints
    );

    /// @notice `funder` added `amount`; the stake is now `stake`.
    event StakeAdded(address indexed operator, address indexed funder, uint256 amount, uint256 stake);

    /// @notice The node is reached elsewhere.
    event EndpointsUpdated(address indexed operator, string[] endpoints);

    /// @notice The node charges other prices.
    event PricesUpdated(address indexed operator, PriceSheet prices);

    /// @notice The node offers other services.
    event ServicesUpdated(address indexed operator, uint16 services);

    /// @notice The hot key changed. What `previous` signed until now stays attributable, see {signerValidity}.
    event SignerUpdated(address indexed operator, address indexed previous, address indexed signer);

    /// @notice The peer identity changed.
    event PeerKeyUpdated(address indexed operator, bytes32 indexed previous, bytes32 indexed peerKey);

    /// @notice The withdrawal address wants to hand over to `pending` (0: the proposal was taken back).
    event WithdrawalProposed(address indexed operator, address indexed withdrawal, address indexed pending);

    /// @notice The new withdrawal address confirmed.
    event WithdrawalConfirmed(address indexed operator, address indexed previous, address indexed withdrawal);

    /// @notice The operator leaves; its stake is free at `exitAt`, if no dispute holds it then.
    event ExitAnnounced(address indexed operator, address indexed by, uint256 exitAt);

    /// @notice The exit was called off; the stake stays.
    event ExitCancelled(address indexed operator);

    /// @notice The stake left and the node is no longer registered.
    event StakeWithdrawn(address indexed operator, address indexed withdrawal, uint256 amount);

    /// @notice A dispute holds the stake; `locks` disputes do now.
    event StakeLocked(address indexed operator, uint256 locks);

    /// @notice A dispute let go of the stake; `locks` still hold it.
    event StakeUnlocked(address indexed operator, uint256 locks);

    /// @notice Stake was taken for a proven fault. `burnt + reward` left the stake, which is now `stake`.
    event StakeSlashed(
        address indexed operator, address indexed beneficiary, uint256 burnt, uint256 reward, uint256 stake
    );

    /// @notice The slasher was named, once and for all. It can act from `activeAt` on: whoever does not trust it
    /// has had the time to leave.
    event SlasherAppointed(address indexed slasher, uint256 activeAt);

    // ---------------------------------------------------------------- errors

    /// @notice The token at deployment is not a contract.
    error NodeRegistry_InvalidToken(address token);
    /// @notice A parameter at deployment is out of its bounds.
    error NodeRegistry_InvalidParameter(bytes32 name, uint256 value, uint256 minimum, uint256 maximum);
    /// @notice The caller is registered already.
    error NodeRegistry_AlreadyRegistered(address operator);
    /// @notice No such node.
    error NodeRegistry_NotRegistered(address operator);
    /// @notice The stake is below the minimum.
    error NodeRegistry_StakeTooLow(uint256 stake, uint256 minimum);
    /// @notice The amount is zero.
    error NodeRegistry_ZeroAmount();
    /// @notice The stake would not fit 96 bits.
    error NodeRegistry_StakeOverflow(uint256 stake, uint256 amount);
    /// @notice The address is zero, the token or this contract.
    error NodeRegistry_InvalidAddress(address account);
    /// @notice The peer key is zero.
    error NodeRegistry_InvalidPeerKey(bytes32 peerKey);
    /// @notice Another operator holds this peer key.
    error NodeRegistry_PeerKeyTaken(bytes32 peerKey, address operator);
    /// @notice No service bit is set.
    error NodeRegistry_NoServices();
    /// @notice No endpoint or too many.
    error NodeRegistry_EndpointCount(uint256 count, uint256 maximum);
    /// @notice Endpoint number `position` is empty or too long.
    error NodeRegistry_EndpointLength(uint256 position, uint256 length, uint256 maximum);
    /// @notice The caller may not do this.
    error NodeRegistry_Unauthorized(address caller);
    /// @notice Not while an exit is under way.
    error NodeRegistry_Exiting(address operator, uint256 exitAt);
    /// @notice No exit was announced.
    error NodeRegistry_NotExiting(address operator);
    /// @notice The unbonding time is not over.
    error NodeRegistry_Unbonding(address operator, uint256 exitAt);
    /// @notice Disputes hold the stake.
    error NodeRegistry_Locked(address operator, uint256 locks);
    /// @notice There is no lock to take back.
    error NodeRegistry_NotLocked(address operator);
    /// @notice The slasher was named before.
    error NodeRegistry_SlasherAlreadyAppointed(address slasher);
    /// @notice The slasher must be a contract.
    error NodeRegistry_SlasherNotContract(address slasher);
    /// @notice The slasher may not act yet.
    error NodeRegistry_SlasherNotActive(uint256 activeAt);
    /// @notice The token moved another amount than was asked (fee on transfer); such tokens are not supported.
    error NodeRegistry_InexactTransfer(uint256 received, uint256 amount);

    // ---------------------------------------------------------------- joining

    /// @notice Registers the caller as an operator and pulls `stake` from it. Needs an allowance. A peer key proves
    /// nothing here: clients must see the same key in the connection and pay the operator that is registered with it.
    /// @param registration See {Registration}.
    /// @param stake Base units, at least the minimum.
    function register(Registration calldata registration, uint96 stake) external;

    /// @notice Adds stake, pulled from the caller, to a node that is not leaving. Anyone may call; all stake leaves
    /// to the withdrawal address only.
    function addStake(address operator, uint96 amount) external;

    // ---------------------------------------------------------------- upkeep, by the operator

    /// @notice Replaces the endpoints of the caller's node.
    function updateEndpoints(string[] calldata endpoints) external;

    /// @notice Replaces the prices of the caller's node.
    function updatePrices(PriceSheet calldata prices) external;

    /// @notice Replaces the services of the caller's node.
    function updateServices(uint16 services) external;

    /// @notice Replaces the hot key of the caller's node. What the previous one signed until now stays attributable.
    function updateSigner(address signer) external;

    /// @notice Replaces the peer identity of the caller's node.
    function updatePeerKey(bytes32 peerKey) external;

    // ---------------------------------------------------------------- withdrawal address

    /// @notice The withdrawal address proposes its successor; 0 takes a proposal back.
    function proposeWithdrawal(address operator, address next) external;

    /// @notice The proposed address confirms, which proves that it can sign.
    function confirmWithdrawal(address operator) external;

    // ---------------------------------------------------------------- leaving

    /// @notice Announces the exit. By the operator or by the withdrawal address (as when the operator's key is lost).
    function announceExit(address operator) external;

    /// @notice Calls the exit off. By the withdrawal address only, or a stolen operator key could hold the stake.
    function cancelExit(address operator) external;

    /// @notice Pays the stake to the withdrawal address and forgets the node. By the operator or the withdrawal
    /// address, after the unbonding time, with no lock open.
    /// @return amount Base units paid.
    function withdrawStake(address operator) external returns (uint256 amount);

    // ---------------------------------------------------------------- slashing

    /// @notice The deployer names the slasher, once, for ever. It must be a contract and acts after the unbonding time.
    function appointSlasher(address slasher) external;

    /// @notice The slasher holds the stake for one more dispute.
    function lock(address operator) external;

    /// @notice The slasher lets go of the stake for one dispute.
    function unlock(address operator) external;

    /// @notice The slasher takes min(`amount`, stake), unbonding stake included. The burnt share, rounded up, goes to
    /// {BURN_ADDRESS} and the rest to `beneficiary`; with no beneficiary (0) all of it is burnt.
    /// @return slashed Base units taken.
    function slash(address operator, uint256 amount, address beneficiary) external returns (uint256 slashed);

    // ---------------------------------------------------------------- views

    /// @notice All about one node.
    function node(address operator) external view returns (Node memory);

    /// @notice All about the nodes `offset` … `offset + limit - 1` of {operatorAt}; fewer at the end of the list.
    function nodes(uint256 offset, uint256 limit) external view returns (Node[] memory);

    /// @notice How many operators are registered.
    function operatorCount() external view returns (uint256);

    /// @notice One registered operator. Positions change when an operator leaves: read all pages at one block.
    function operatorAt(uint256 position) external view returns (address);

    /// @notice The operator behind a peer key; 0 if none.
    function operatorOf(bytes32 peerKey) external view returns (address);

    /// @notice True while the node has at least the minimum stake and is not leaving.
    function isActive(address operator) external view returns (bool);

    /// @notice When `signer` could sign for `operator`: from `validFrom` until `validUntil`. Both 0 if it never could;
    /// `validUntil` is the largest uint40 for the present signer. Survives withdrawal; a signer that is taken back
    /// keeps its first `validFrom`.
    function signerValidity(address operator, address signer)
        external
        view
        returns (uint40 validFrom, uint40 validUntil);

    /// @notice The slasher and when it may act; both 0 before it is named.
    function slasher() external view returns (address account, uint256 activeAt);

    /// @notice The parameters fixed at deployment.
    /// @return token_ The ERC-20.
    /// @return minStake_ Least stake of an active node, base units.
    /// @return unbondingSeconds_ From {announceExit} to {withdrawStake}.
    /// @return slashBurnBps_ Burnt share of a slash in hundredths of a percent.
    function parameters()
        external
        view
        returns (address token_, uint256 minStake_, uint256 unbondingSeconds_, uint256 slashBurnBps_);

    /// @notice Most endpoints of a node.
    function MAX_ENDPOINTS() external view returns (uint256);

    /// @notice Longest endpoint, bytes.
    function MAX_ENDPOINT_BYTES() external view returns (uint256);

    /// @notice Where burnt tokens go; nobody has its key.
    function BURN_ADDRESS() external view returns (address);
}
