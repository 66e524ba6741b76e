// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {INodeRegistry} from "../interfaces/INodeRegistry.sol";
import {IPostToken} from "../interfaces/IPostToken.sol";
import {RegistryFixture} from "./support/RegistryFixture.sol";
import {FeeToken} from "./support/Tokens.sol";

/// @dev Deployment, register, addStake and the updates. Branches in NodeRegistry.tree.
contract NodeRegistryJoiningTest is RegistryFixture {
    // ---------------------------------------------------------------- constructor

    function test_Deploy_FixesParameters() public view {
        (address token_, uint256 minStake, uint256 unbonding, uint256 burnBps) = registry.parameters();
        vm.assertEq(token_, address(token));
        vm.assertEq(minStake, MIN_STAKE);
        vm.assertEq(unbonding, UNBONDING);
        vm.assertEq(burnBps, SLASH_BURN_BPS);
        vm.assertEq(registry.BURN_ADDRESS(), SINK);
        (address slasher, uint256 activeAt) = registry.slasher();
        vm.assertEq(slasher, address(0));
        vm.assertEq(activeAt, 0);
    }

    function test_Deploy_RevertWhen_TokenHasNoCode() public {
        vm.expectRevert(
            abi.encodeWithSelector(INodeRegistry.NodeRegistry_InvalidToken.selector, stranger)
        );
        deployRegistry(stranger, MIN_STAKE, UNBONDING, SLASH_BURN_BPS);
    }

    function test_Deploy_RevertWhen_AParameterIsOutOfBounds() public {
        expectInvalid("minStake", 0, 1, type(uint96).max);
        deployRegistry(address(token), 0, UNBONDING, SLASH_BURN_BPS);
        expectInvalid("minStake", 1 << 96, 1, type(uint96).max);
        deployRegistry(address(token), 1 << 96, UNBONDING, SLASH_BURN_BPS);
        expectInvalid("unbondingSeconds", 0, 1, 365 days);
        deployRegistry(address(token), MIN_STAKE, 0, SLASH_BURN_BPS);
        expectInvalid("unbondingSeconds", 365 days + 1, 1, 365 days);
        deployRegistry(address(token), MIN_STAKE, 365 days + 1, SLASH_BURN_BPS);
        expectInvalid("slashBurnBps", 7_999, 8_000, 10_000);
        deployRegistry(address(token), MIN_STAKE, UNBONDING, 7_999);
        expectInvalid("slashBurnBps", 10_001, 8_000, 10_000);
        deployRegistry(address(token), MIN_STAKE, UNBONDING, 10_001);
    }

    // ---------------------------------------------------------------- register

    function test_Register_KeepsAllThatALightClientNeeds() public {
        INodeRegistry.Registration memory data = registration();
        vm.expectEmit();
        emit INodeRegistry.NodeRegistered(
            operator, PEER_KEY, hot, cold, 15, STAKE, data.prices, data.endpoints
        );
        register();

        INodeRegistry.Node memory node = registry.node(operator);
        vm.assertEq(node.operator, operator);
        vm.assertEq(node.stake, STAKE);
        vm.assertEq(node.withdrawal, cold);
        vm.assertEq(node.pendingWithdrawal, address(0));
        vm.assertEq(node.signer, hot);
        vm.assertEq(node.peerKey, PEER_KEY);
        vm.assertEq(node.services, 15);
        vm.assertEq(node.registeredAt, block.timestamp);
        vm.assertEq(node.exitAt, 0);
        vm.assertEq(node.locks, 0);
        vm.assertEq(node.prices.publish, 1);
        vm.assertEq(node.prices.query, 2);
        vm.assertEq(node.prices.push, 3);
        vm.assertEq(node.endpoints.length, 2);
        vm.assertEq(node.endpoints[1], "/dns4/node-1.example.org/tcp/443/wss");

        vm.assertEq(token.balanceOf(address(registry)), STAKE);
        vm.assertEq(registry.operatorOf(PEER_KEY), operator);
        vm.assertEq(registry.operatorCount(), 1);
        vm.assertEq(registry.operatorAt(0), operator);
        vm.assertTrue(registry.isActive(operator));
    }

    function test_Register_StartsTheSignersSpan() public {
        register();
        (uint40 from, uint40 until) = registry.signerValidity(operator, hot);
        vm.assertEq(from, block.timestamp);
        vm.assertEq(until, type(uint40).max);
    }

    function test_Register_RevertWhen_RegisteredAlready() public {
        register();
        vm.expectRevert(
            abi.encodeWithSelector(INodeRegistry.NodeRegistry_AlreadyRegistered.selector, operator)
        );
        register();
    }

    function test_Register_RevertWhen_StakeIsTooLow() public {
        vm.expectRevert(
            abi.encodeWithSelector(
                INodeRegistry.NodeRegistry_StakeTooLow.selector, MIN_STAKE - 1, MIN_STAKE
            )
        );
        vm.prank(operator);
        registry.register(registration(), uint96(MIN_STAKE - 1));
    }

    function test_Register_RevertWhen_AnAddressIsZeroTokenOrThis() public {
        address[3] memory forbidden = [address(0), address(token), address(registry)];
        for (uint256 i = 0; i < 3; ++i) {
            INodeRegistry.Registration memory data = registration();
            data.withdrawal = forbidden[i];
            expectRegisterRefused(
                data, abi.encodeWithSelector(INodeRegistry.NodeRegistry_InvalidAddress.selector, forbidden[i])
            );
            data = registration();
            data.signer = forbidden[i];
            expectRegisterRefused(
                data, abi.encodeWithSelector(INodeRegistry.NodeRegistry_InvalidAddress.selector, forbidden[i])
            );
        }
    }

    function test_Register_RevertWhen_PeerKeyIsZero() public {
        INodeRegistry.Registration memory data = registration();
        data.peerKey = 0;
        expectRegisterRefused(
            data, abi.encodeWithSelector(INodeRegistry.NodeRegistry_InvalidPeerKey.selector, bytes32(0))
        );
    }

    function test_Register_RevertWhen_PeerKeyIsTaken() public {
        register();
        vm.expectRevert(
            abi.encodeWithSelector(INodeRegistry.NodeRegistry_PeerKeyTaken.selector, PEER_KEY, operator)
        );
        vm.prank(stranger);
        registry.register(registration(), STAKE);
    }

    function test_Register_RevertWhen_NoServices() public {
        INodeRegistry.Registration memory data = registration();
        data.services = 0;
        expectRegisterRefused(
            data, abi.encodeWithSelector(INodeRegistry.NodeRegistry_NoServices.selector)
        );
    }

    function test_Register_RevertWhen_EndpointsAreNoneOrTooMany() public {
        INodeRegistry.Registration memory data = registration();
        data.endpoints = new string[](0);
        expectRegisterRefused(
            data, abi.encodeWithSelector(INodeRegistry.NodeRegistry_EndpointCount.selector, 0, 8)
        );
        data.endpoints = new string[](9);
        expectRegisterRefused(
            data, abi.encodeWithSelector(INodeRegistry.NodeRegistry_EndpointCount.selector, 9, 8)
        );
    }

    function test_Register_RevertWhen_AnEndpointIsEmptyOrTooLong() public {
        INodeRegistry.Registration memory data = registration();
        data.endpoints[1] = "";
        expectRegisterRefused(
            data, abi.encodeWithSelector(INodeRegistry.NodeRegistry_EndpointLength.selector, 1, 0, 128)
        );
        data.endpoints[1] = string(new bytes(129));
        expectRegisterRefused(
            data, abi.encodeWithSelector(INodeRegistry.NodeRegistry_EndpointLength.selector, 1, 129, 128)
        );
    }

    function test_Register_RevertWhen_TheTokenTakesAFee() public {
        FeeToken fee = new FeeToken();
        registry = deployRegistry(address(fee), MIN_STAKE, UNBONDING, SLASH_BURN_BPS);
        fee.mint(operator, STAKE);
        vm.startPrank(operator);
        fee.approve(address(registry), STAKE);
        vm.expectRevert(
            abi.encodeWithSelector(
                INodeRegistry.NodeRegistry_InexactTransfer.selector, STAKE * 99 / 100, STAKE
            )
        );
        registry.register(registration(), STAKE);
    }

    // ---------------------------------------------------------------- addStake

    function test_AddStake_ByAnyone() public {
        register();
        vm.expectEmit();
        emit INodeRegistry.StakeAdded(operator, stranger, 1 ether, STAKE + 1 ether);
        vm.prank(stranger);
        registry.addStake(operator, 1 ether);
        vm.assertEq(stakeOf(operator), STAKE + 1 ether);
        vm.assertEq(token.balanceOf(address(registry)), STAKE + 1 ether);
    }

    function test_AddStake_RevertWhen_AmountIsZero() public {
        register();
        vm.expectRevert(INodeRegistry.NodeRegistry_ZeroAmount.selector);
        registry.addStake(operator, 0);
    }

    function test_AddStake_RevertWhen_NotRegistered() public {
        expectNotRegistered(operator);
        registry.addStake(operator, 1);
    }

    function test_AddStake_RevertWhen_Exiting() public {
        register();
        vm.startPrank(operator);
        registry.announceExit(operator);
        vm.expectRevert(
            abi.encodeWithSelector(
                INodeRegistry.NodeRegistry_Exiting.selector, operator, block.timestamp + UNBONDING
            )
        );
        registry.addStake(operator, 1);
    }

    function test_AddStake_RevertWhen_StakeWouldOverflow() public {
        register();
        vm.expectRevert(
            abi.encodeWithSelector(
                INodeRegistry.NodeRegistry_StakeOverflow.selector, STAKE, type(uint96).max
            )
        );
        registry.addStake(operator, type(uint96).max);
    }

    // ---------------------------------------------------------------- updates

    function test_UpdateEndpoints_ReplacesThem() public {
        register();
        string[] memory next = new string[](1);
        next[0] = "/ip4/198.51.100.1/tcp/1";
        vm.expectEmit();
        emit INodeRegistry.EndpointsUpdated(operator, next);
        vm.prank(operator);
        registry.updateEndpoints(next);
        vm.assertEq(registry.node(operator).endpoints.length, 1);
        vm.assertEq(registry.node(operator).endpoints[0], next[0]);
    }

    function test_UpdateEndpoints_RevertWhen_Invalid() public {
        register();
        vm.expectRevert(
            abi.encodeWithSelector(INodeRegistry.NodeRegistry_EndpointCount.selector, 0, 8)
        );
        vm.prank(operator);
        registry.updateEndpoints(new string[](0));
    }

    function test_UpdatePrices_ReplacesThem() public {
        register();
        INodeRegistry.PriceSheet memory prices = INodeRegistry.PriceSheet(7, 8, 9);
        vm.expectEmit();
        emit INodeRegistry.PricesUpdated(operator, prices);
        vm.prank(operator);
        registry.updatePrices(prices);
        vm.assertEq(registry.node(operator).prices.push, 9);
    }

    function test_UpdateServices_ReplacesThem() public {
        register();
        vm.expectEmit();
        emit INodeRegistry.ServicesUpdated(operator, 5);
        vm.prank(operator);
        registry.updateServices(5);
        vm.assertEq(registry.node(operator).services, 5);
    }

    function test_UpdateServices_RevertWhen_None() public {
        register();
        vm.expectRevert(INodeRegistry.NodeRegistry_NoServices.selector);
        vm.prank(operator);
        registry.updateServices(0);
    }

    function test_UpdateSigner_EndsThePreviousSpan() public {
        register();
        uint256 start = block.timestamp;
        vm.warp(start + 100);
        vm.expectEmit();
        emit INodeRegistry.SignerUpdated(operator, hot, stranger);
        vm.prank(operator);
        registry.updateSigner(stranger);
        vm.assertEq(registry.node(operator).signer, stranger);
        (uint40 from, uint40 until) = registry.signerValidity(operator, hot);
        vm.assertEq(from, start);
        vm.assertEq(until, start + 100);
        (from, until) = registry.signerValidity(operator, stranger);
        vm.assertEq(from, start + 100);
        vm.assertEq(until, type(uint40).max);
    }

    function test_UpdateSigner_BackToAnOldOneKeepsItsFirstDay() public {
        register();
        uint256 start = block.timestamp;
        vm.startPrank(operator);
        vm.warp(start + 100);
        registry.updateSigner(stranger);
        vm.warp(start + 200);
        registry.updateSigner(hot);
        (uint40 from, uint40 until) = registry.signerValidity(operator, hot);
        vm.assertEq(from, start);
        vm.assertEq(until, type(uint40).max);
    }

    function test_UpdateSigner_ToTheSameChangesNothing() public {
        register();
        vm.prank(operator);
        registry.updateSigner(hot);
        (, uint40 until) = registry.signerValidity(operator, hot);
        vm.assertEq(until, type(uint40).max);
    }

    function test_UpdatePeerKey_FreesThePreviousOne() public {
        register();
        bytes32 next = keccak256("next");
        vm.expectEmit();
        emit INodeRegistry.PeerKeyUpdated(operator, PEER_KEY, next);
        vm.prank(operator);
        registry.updatePeerKey(next);
        vm.assertEq(registry.node(operator).peerKey, next);
        vm.assertEq(registry.operatorOf(PEER_KEY), address(0));
        vm.assertEq(registry.operatorOf(next), operator);
    }

    function test_UpdatePeerKey_RevertWhen_Taken() public {
        register();
        registerOther(stranger);
        vm.expectRevert(
            abi.encodeWithSelector(INodeRegistry.NodeRegistry_PeerKeyTaken.selector, PEER_KEY, operator)
        );
        vm.prank(stranger);
        registry.updatePeerKey(PEER_KEY);
    }

    function test_Update_RevertWhen_NotRegistered() public {
        vm.startPrank(stranger);
        expectNotRegistered(stranger);
        registry.updateEndpoints(endpoints());
        expectNotRegistered(stranger);
        registry.updatePrices(INodeRegistry.PriceSheet(7, 8, 9));
        expectNotRegistered(stranger);
        registry.updateServices(1);
        expectNotRegistered(stranger);
        registry.updateSigner(hot);
        expectNotRegistered(stranger);
        registry.updatePeerKey(PEER_KEY);
    }

    // ---------------------------------------------------------------- pages

    function test_Nodes_PagesThroughAll() public {
        register();
        for (uint160 i = 1; i <= 4; ++i) {
            registerOther(address(0x1000 + i));
        }
        vm.assertEq(registry.operatorCount(), 5);
        INodeRegistry.Node[] memory page = registry.nodes(0, 2);
        vm.assertEq(page.length, 2);
        vm.assertEq(page[0].operator, operator);
        vm.assertEq(page[1].operator, address(0x1001));
        page = registry.nodes(4, 2);
        vm.assertEq(page.length, 1);
        vm.assertEq(page[0].operator, address(0x1004));
        vm.assertEq(registry.nodes(5, 2).length, 0);
        vm.assertEq(registry.nodes(0, type(uint256).max).length, 5);
    }

    function test_Node_OfAStrangerIsEmpty() public view {
        INodeRegistry.Node memory node = registry.node(stranger);
        vm.assertEq(node.registeredAt, 0);
        vm.assertEq(node.stake, 0);
        vm.assertFalse(registry.isActive(stranger));
    }

    // ---------------------------------------------------------------- helpers

    function expectInvalid(bytes32 name, uint256 value, uint256 least, uint256 most) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                INodeRegistry.NodeRegistry_InvalidParameter.selector, name, value, least, most
            )
        );
    }

    function expectNotRegistered(address who) private {
        vm.expectRevert(
            abi.encodeWithSelector(INodeRegistry.NodeRegistry_NotRegistered.selector, who)
        );
    }

    function expectRegisterRefused(INodeRegistry.Registration memory data, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(operator);
        registry.register(data, STAKE);
    }
}
