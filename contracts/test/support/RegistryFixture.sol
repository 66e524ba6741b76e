// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {INodeRegistry} from "../../interfaces/INodeRegistry.sol";
import {IPostToken} from "../../interfaces/IPostToken.sol";
import {TestBase} from "./TestBase.sol";

/// @dev Stands in for the contract that will judge storage disputes: passes on what it is told.
contract Judge {
    INodeRegistry private immutable _registry;

    constructor(INodeRegistry registry) {
        _registry = registry;
    }

    function lock(address operator) external {
        _registry.lock(operator);
    }

    function unlock(address operator) external {
        _registry.unlock(operator);
    }

    function slash(address operator, uint256 amount, address beneficiary) external returns (uint256) {
        return _registry.slash(operator, amount, beneficiary);
    }
}

/// @dev A registry with one node and an active slasher.
abstract contract RegistryFixture is TestBase {
    uint256 internal constant MIN_STAKE = 1_000 ether;
    uint256 internal constant UNBONDING = 7 days;
    uint256 internal constant SLASH_BURN_BPS = 8_000;
    uint96 internal constant STAKE = 1_500 ether;
    bytes32 internal constant PEER_KEY = keccak256("peer");
    address internal constant SINK = 0x000000000000000000000000000000000000dEaD;

    IPostToken internal token;
    INodeRegistry internal registry;
    Judge internal judge;
    address internal operator = address(0xA1);
    address internal cold = address(0xC0);
    address internal hot = address(0xB0);
    address internal stranger = address(0xE0);

    function setUp() public virtual {
        vm.warp(1_700_000_000);
        token = IPostToken(deploy("PostToken", ""));
        registry = deployRegistry(address(token), MIN_STAKE, UNBONDING, SLASH_BURN_BPS);
        fund(operator);
        fund(stranger);
        judge = new Judge(registry);
    }

    function deployRegistry(address token_, uint256 minStake, uint256 unbonding, uint256 burnBps)
        internal
        returns (INodeRegistry)
    {
        return INodeRegistry(deploy("NodeRegistry", abi.encode(token_, minStake, unbonding, burnBps)));
    }

    function fund(address owner) internal {
        token.faucet(owner, 1_000_000 ether);
        vm.prank(owner);
        token.approve(address(registry), type(uint256).max);
    }

    function endpoints() internal pure returns (string[] memory list) {
        list = new string[](2);
        list[0] = "/ip4/203.0.113.7/tcp/60000";
        list[1] = "/dns4/node-1.example.org/tcp/443/wss";
    }

    function registration() internal view returns (INodeRegistry.Registration memory) {
        return INodeRegistry.Registration({
            peerKey: PEER_KEY,
            signer: hot,
            withdrawal: cold,
            services: 15,
            endpoints: endpoints(),
            prices: INodeRegistry.PriceSheet({publish: 1, query: 2, push: 3})
        });
    }

    function register() internal {
        vm.prank(operator);
        registry.register(registration(), STAKE);
    }

    /// @dev Another operator with everything of its own.
    function registerOther(address other) internal {
        fund(other);
        INodeRegistry.Registration memory data = registration();
        data.peerKey = keccak256(abi.encode(other));
        vm.prank(other);
        registry.register(data, STAKE);
    }

    /// @dev Names the judge and waits until it may act.
    function appoint() internal {
        registry.appointSlasher(address(judge));
        vm.warp(block.timestamp + UNBONDING);
    }

    function stakeOf(address who) internal view returns (uint256) {
        return registry.node(who).stake;
    }
}
