// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {INodeRegistry} from "../interfaces/INodeRegistry.sol";
import {Burn} from "../libraries/Burn.sol";
import {TokenPull} from "../libraries/TokenPull.sol";

/// @title Staked nodes
/// @dev Endpoints and prices are kept in storage as well as in events: a light client learns all about a node with one
/// call, from any RPC endpoint, without scanning logs. An operator pays for that once.
/// As in {PaymentChannels}, every function finishes its books before it touches the token, and touches it last.
contract NodeRegistry is INodeRegistry {
    using SafeERC20 for IERC20;
    using TokenPull for IERC20;

    /// @dev What is stored of a node, packed into four slots and the endpoints.
    struct Entry {
        address withdrawal;
        uint96 stake;
        address signer;
        uint40 registeredAt;
        uint40 exitAt;
        uint16 services;
        bytes32 peerKey;
        PriceSheet prices;
        uint32 locks;
        /// Position in {_operators} plus one, so that an empty slot means "not registered".
        uint32 place;
        address pendingWithdrawal;
        string[] endpoints;
    }

    /// @dev When a signer could sign; `until` is {FOREVER} for the present one.
    struct Validity {
        uint40 from;
        uint40 until;
    }

    /// @inheritdoc INodeRegistry
    /// @dev TCP, WebSocket and QUIC on IPv4, IPv6 and a name leave two spare.
    uint256 public constant MAX_ENDPOINTS = 8;

    /// @inheritdoc INodeRegistry
    /// @dev The longest DNS names in practice with transport and port; twice what an address needs.
    uint256 public constant MAX_ENDPOINT_BYTES = 128;

    /// @inheritdoc INodeRegistry
    address public constant BURN_ADDRESS = Burn.SINK;

    /// @dev Longer, and a slip at deployment would lock stakes for ever.
    uint256 private constant MAX_UNBONDING_SECONDS = 365 days;

    /// @dev Less, and an operator could slash itself through a friend to leave early at a small price.
    uint256 private constant MIN_SLASH_BURN_BPS = 8_000;

    uint40 private constant FOREVER = type(uint40).max;

    IERC20 private immutable _token;
    address private immutable _deployer;
    uint256 private immutable _minStake;
    uint256 private immutable _unbondingSeconds;
    uint256 private immutable _slashBurnBps;

    mapping(address operator => Entry) private _entries;
    mapping(bytes32 peerKey => address operator) private _operatorOfPeer;
    mapping(address operator => mapping(address signer => Validity)) private _signers;
    address[] private _operators;
    address private _slasher;
    uint40 private _slasherActiveAt;

    modifier onlySlasher() {
        // The second half matters in simulated calls only: nobody can send from the zero address.
        if (msg.sender != _slasher || msg.sender == address(0)) {
            revert NodeRegistry_Unauthorized(msg.sender);
        }
        if (block.timestamp < _slasherActiveAt) revert NodeRegistry_SlasherNotActive(_slasherActiveAt);
        _;
    }

    /// @param token_ A plain ERC-20: no fee on transfer, no rebasing, no hooks.
    /// @param minStake_ Least stake of an active node, above 0, at most 96 bits.
    /// @param unbondingSeconds_ 1 second to 365 days; longer than any receipt lives plus the dispute window.
    /// @param slashBurnBps_ Burnt share of a slash, 8,000 to 10,000 hundredths of a percent.
    constructor(address token_, uint256 minStake_, uint256 unbondingSeconds_, uint256 slashBurnBps_) {
        if (token_.code.length == 0) revert NodeRegistry_InvalidToken(token_);
        _requireWithin("minStake", minStake_, 1, type(uint96).max);
        _requireWithin("unbondingSeconds", unbondingSeconds_, 1, MAX_UNBONDING_SECONDS);
        _requireWithin("slashBurnBps", slashBurnBps_, MIN_SLASH_BURN_BPS, Burn.WHOLE_BPS);
        _token = IERC20(token_);
        _deployer = msg.sender;
        _minStake = minStake_;
        _unbondingSeconds = unbondingSeconds_;
        _slashBurnBps = slashBurnBps_;
    }

    // ---------------------------------------------------------------- joining

    /// @inheritdoc INodeRegistry
    function register(Registration calldata registration, uint96 stake) external {
        Entry storage entry = _entries[msg.sender];
        if (entry.place != 0) revert NodeRegistry_AlreadyRegistered(msg.sender);
        if (stake < _minStake) revert NodeRegistry_StakeTooLow(stake, _minStake);
        _requireAddress(registration.withdrawal);
        _requireServices(registration.services);

        _operators.push(msg.sender);
        entry.place = uint32(_operators.length);
        entry.stake = stake;
        entry.withdrawal = registration.withdrawal;
        entry.registeredAt = uint40(block.timestamp);
        entry.services = registration.services;
        entry.prices = registration.prices;
        _takePeerKey(entry, registration.peerKey);
        _admitSigner(entry, registration.signer);
        _setEndpoints(entry, registration.endpoints);
        emit NodeRegistered(
            msg.sender,
            registration.peerKey,
            registration.signer,
            registration.withdrawal,
            registration.services,
            stake,
            registration.prices,
            registration.endpoints
        );
        _pull(stake);
    }

    /// @inheritdoc INodeRegistry
    function addStake(address operator, uint96 amount) external {
        if (amount == 0) revert NodeRegistry_ZeroAmount();
        Entry storage entry = _registered(operator);
        _requireStaying(operator, entry);
        if (amount > type(uint96).max - entry.stake) revert NodeRegistry_StakeOverflow(entry.stake, amount);
        entry.stake += amount;
        emit StakeAdded(operator, msg.sender, amount, entry.stake);
        _pull(amount);
    }

    // ---------------------------------------------------------------- upkeep

    /// @inheritdoc INodeRegistry
    function updateEndpoints(string[] calldata endpoints) external {
        _setEndpoints(_registered(msg.sender), endpoints);
        emit EndpointsUpdated(msg.sender, endpoints);
    }

    /// @inheritdoc INodeRegistry
    function updatePrices(PriceSheet calldata prices) external {
        _registered(msg.sender).prices = prices;
        emit PricesUpdated(msg.sender, prices);
    }

    /// @inheritdoc INodeRegistry
    function updateServices(uint16 services) external {
        _requireServices(services);
        _registered(msg.sender).services = services;
        emit ServicesUpdated(msg.sender, services);
    }

    /// @inheritdoc INodeRegistry
    function updateSigner(address signer) external {
        Entry storage entry = _registered(msg.sender);
        address previous = entry.signer;
        _signers[msg.sender][previous].until = uint40(block.timestamp);
        _admitSigner(entry, signer);
        emit SignerUpdated(msg.sender, previous, signer);
    }

    /// @inheritdoc INodeRegistry
    function updatePeerKey(bytes32 peerKey) external {
        Entry storage entry = _registered(msg.sender);
        bytes32 previous = entry.peerKey;
        delete _operatorOfPeer[previous];
        _takePeerKey(entry, peerKey);
        emit PeerKeyUpdated(msg.sender, previous, peerKey);
    }

    // ---------------------------------------------------------------- withdrawal address

    /// @inheritdoc INodeRegistry
    function proposeWithdrawal(address operator, address next) external {
        Entry storage entry = _registered(operator);
        if (msg.sender != entry.withdrawal) revert NodeRegistry_Unauthorized(msg.sender);
        if (next != address(0)) _requireAddress(next);
        entry.pendingWithdrawal = next;
        emit WithdrawalProposed(operator, msg.sender, next);
    }

    /// @inheritdoc INodeRegistry
    function confirmWithdrawal(address operator) external {
        Entry storage entry = _registered(operator);
        if (msg.sender != entry.pendingWithdrawal) revert NodeRegistry_Unauthorized(msg.sender);
        address previous = entry.withdrawal;
        entry.withdrawal = msg.sender;
        entry.pendingWithdrawal = address(0);
        emit WithdrawalConfirmed(operator, previous, msg.sender);
    }

    // ---------------------------------------------------------------- leaving

    /// @inheritdoc INodeRegistry
    function announceExit(address operator) external {
        Entry storage entry = _registered(operator);
        _requireOperatorOrWithdrawal(operator, entry);
        _requireStaying(operator, entry);
        // Fits: unbonding is at most 365 days, and 40 bits of seconds last until the year 36812.
        entry.exitAt = uint40(block.timestamp + _unbondingSeconds);
        emit ExitAnnounced(operator, msg.sender, entry.exitAt);
    }

    /// @inheritdoc INodeRegistry
    function cancelExit(address operator) external {
        Entry storage entry = _registered(operator);
        if (msg.sender != entry.withdrawal) revert NodeRegistry_Unauthorized(msg.sender);
        if (entry.exitAt == 0) revert NodeRegistry_NotExiting(operator);
        entry.exitAt = 0;
        emit ExitCancelled(operator);
    }

    /// @inheritdoc INodeRegistry
    function withdrawStake(address operator) external returns (uint256 amount) {
        Entry storage entry = _registered(operator);
        _requireOperatorOrWithdrawal(operator, entry);
        uint256 exitAt = entry.exitAt;
        if (exitAt == 0) revert NodeRegistry_NotExiting(operator);
        if (block.timestamp < exitAt) revert NodeRegistry_Unbonding(operator, exitAt);
        if (entry.locks != 0) revert NodeRegistry_Locked(operator, entry.locks);
        amount = entry.stake;
        address withdrawal = entry.withdrawal;
        _forget(operator, entry);
        emit StakeWithdrawn(operator, withdrawal, amount);
        if (amount > 0) _token.safeTransfer(withdrawal, amount);
    }

    // ---------------------------------------------------------------- slashing

    /// @inheritdoc INodeRegistry
    function appointSlasher(address account) external {
        if (msg.sender != _deployer) revert NodeRegistry_Unauthorized(msg.sender);
        if (_slasher != address(0)) revert NodeRegistry_SlasherAlreadyAppointed(_slasher);
        if (account.code.length == 0) revert NodeRegistry_SlasherNotContract(account);
        _slasher = account;
        _slasherActiveAt = uint40(block.timestamp + _unbondingSeconds);
        emit SlasherAppointed(account, _slasherActiveAt);
    }

    /// @inheritdoc INodeRegistry
    function lock(address operator) external onlySlasher {
        Entry storage entry = _registered(operator);
        entry.locks += 1;
        emit StakeLocked(operator, entry.locks);
    }

    /// @inheritdoc INodeRegistry
    function unlock(address operator) external onlySlasher {
        Entry storage entry = _registered(operator);
        if (entry.locks == 0) revert NodeRegistry_NotLocked(operator);
        entry.locks -= 1;
        emit StakeUnlocked(operator, entry.locks);
    }

    /// @inheritdoc INodeRegistry
    function slash(address operator, uint256 amount, address beneficiary)
        external
        onlySlasher
        returns (uint256 slashed)
    {
        Entry storage entry = _registered(operator);
        slashed = amount < entry.stake ? amount : entry.stake;
        entry.stake -= uint96(slashed);
        uint256 burnt =
            beneficiary == address(0) ? slashed : Burn.shareUp(slashed, _slashBurnBps);
        uint256 reward = slashed - burnt;
        emit StakeSlashed(operator, beneficiary, burnt, reward, entry.stake);
        if (burnt > 0) _token.safeTransfer(Burn.SINK, burnt);
        if (reward > 0) _token.safeTransfer(beneficiary, reward);
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc INodeRegistry
    function node(address operator) public view returns (Node memory) {
        Entry storage entry = _entries[operator];
        return Node({
            operator: operator,
            stake: entry.stake,
            withdrawal: entry.withdrawal,
            pendingWithdrawal: entry.pendingWithdrawal,
            signer: entry.signer,
            peerKey: entry.peerKey,
            services: entry.services,
            registeredAt: entry.registeredAt,
            exitAt: entry.exitAt,
            locks: entry.locks,
            prices: entry.prices,
            endpoints: entry.endpoints
        });
    }

    /// @inheritdoc INodeRegistry
    function nodes(uint256 offset, uint256 limit) external view returns (Node[] memory page) {
        uint256 count = _operators.length;
        uint256 rest = offset < count ? count - offset : 0;
        page = new Node[](limit < rest ? limit : rest);
        for (uint256 i = 0; i < page.length; ++i) {
            page[i] = node(_operators[offset + i]);
        }
    }

    /// @inheritdoc INodeRegistry
    function operatorCount() external view returns (uint256) {
        return _operators.length;
    }

    /// @inheritdoc INodeRegistry
    function operatorAt(uint256 position) external view returns (address) {
        return _operators[position];
    }

    /// @inheritdoc INodeRegistry
    function operatorOf(bytes32 peerKey) external view returns (address) {
        return _operatorOfPeer[peerKey];
    }

    /// @inheritdoc INodeRegistry
    function isActive(address operator) external view returns (bool) {
        Entry storage entry = _entries[operator];
        return entry.place != 0 && entry.exitAt == 0 && entry.stake >= _minStake;
    }

    /// @inheritdoc INodeRegistry
    function signerValidity(address operator, address signer)
        external
        view
        returns (uint40 validFrom, uint40 validUntil)
    {
        Validity storage validity = _signers[operator][signer];
        return (validity.from, validity.until);
    }

    /// @inheritdoc INodeRegistry
    function slasher() external view returns (address account, uint256 activeAt) {
        return (_slasher, _slasherActiveAt);
    }

    /// @inheritdoc INodeRegistry
    function parameters()
        external
        view
        returns (address token_, uint256 minStake_, uint256 unbondingSeconds_, uint256 slashBurnBps_)
    {
        return (address(_token), _minStake, _unbondingSeconds, _slashBurnBps);
    }

    // ---------------------------------------------------------------- inside

    /// @dev Gives the caller's entry a peer key that nobody else holds.
    function _takePeerKey(Entry storage entry, bytes32 peerKey) private {
        if (peerKey == 0) revert NodeRegistry_InvalidPeerKey(peerKey);
        address holder = _operatorOfPeer[peerKey];
        if (holder != address(0)) revert NodeRegistry_PeerKeyTaken(peerKey, holder);
        _operatorOfPeer[peerKey] = msg.sender;
        entry.peerKey = peerKey;
    }

    /// @dev Makes `signer` the caller's signer. One that comes back keeps its first day: its span only grows.
    function _admitSigner(Entry storage entry, address signer) private {
        _requireAddress(signer);
        Validity storage validity = _signers[msg.sender][signer];
        if (validity.from == 0) validity.from = uint40(block.timestamp);
        validity.until = FOREVER;
        entry.signer = signer;
    }

    function _setEndpoints(Entry storage entry, string[] calldata endpoints) private {
        if (endpoints.length == 0 || endpoints.length > MAX_ENDPOINTS) {
            revert NodeRegistry_EndpointCount(endpoints.length, MAX_ENDPOINTS);
        }
        for (uint256 i = 0; i < endpoints.length; ++i) {
            uint256 length = bytes(endpoints[i]).length;
            if (length == 0 || length > MAX_ENDPOINT_BYTES) {
                revert NodeRegistry_EndpointLength(i, length, MAX_ENDPOINT_BYTES);
            }
        }
        entry.endpoints = endpoints;
    }

    /// @dev Removes a node. The last operator takes its place in the list.
    function _forget(address operator, Entry storage entry) private {
        uint32 place = entry.place;
        address last = _operators[_operators.length - 1];
        _operators[place - 1] = last;
        _entries[last].place = place;
        _operators.pop();
        delete _operatorOfPeer[entry.peerKey];
        _signers[operator][entry.signer].until = uint40(block.timestamp);
        delete _entries[operator];
    }

    function _pull(uint256 amount) private {
        uint256 received = _token.pull(amount);
        if (received != amount) revert NodeRegistry_InexactTransfer(received, amount);
    }

    function _registered(address operator) private view returns (Entry storage entry) {
        entry = _entries[operator];
        if (entry.place == 0) revert NodeRegistry_NotRegistered(operator);
    }

    function _requireStaying(address operator, Entry storage entry) private view {
        if (entry.exitAt != 0) revert NodeRegistry_Exiting(operator, entry.exitAt);
    }

    function _requireOperatorOrWithdrawal(address operator, Entry storage entry) private view {
        if (msg.sender != operator && msg.sender != entry.withdrawal) {
            revert NodeRegistry_Unauthorized(msg.sender);
        }
    }

    function _requireAddress(address account) private view {
        if (account == address(0) || account == address(this) || account == address(_token)) {
            revert NodeRegistry_InvalidAddress(account);
        }
    }

    function _requireServices(uint16 services) private pure {
        if (services == 0) revert NodeRegistry_NoServices();
    }

    function _requireWithin(bytes32 name, uint256 value, uint256 minimum, uint256 maximum) private pure {
        if (value < minimum || value > maximum) {
            revert NodeRegistry_InvalidParameter(name, value, minimum, maximum);
        }
    }
}
