// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Vouchers} from "../../libraries/Vouchers.sol";
import {TestBase} from "../support/TestBase.sol";

contract VouchersTest is TestBase {
    uint256 private constant HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;

    /// @dev The library's assembly against the definition.
    function testFuzz_Digest_IsEip712(
        bytes32 separator,
        bytes32 channelId,
        uint128 cumulative,
        bytes32 tickAnchor,
        uint64 tickValue
    ) public pure {
        bytes32 structHash =
            keccak256(abi.encode(Vouchers.TYPEHASH, channelId, cumulative, tickAnchor, tickValue));
        vm.assertEq(
            Vouchers.digest(separator, channelId, cumulative, tickAnchor, tickValue),
            keccak256(abi.encodePacked("\x19\x01", separator, structHash))
        );
    }

    /// @dev What the assembly writes beyond the free memory pointer, and in scratch space, must disturb nothing.
    function test_Assembly_LeavesMemoryAlone() public view {
        bytes memory kept = abi.encode("kept", "as", "it", "is");
        bytes32 before = keccak256(kept);
        bytes32 digest = Vouchers.digest("separator", "id", 1, "anchor", 2);
        bytes memory fresh = new bytes(256);
        vm.assertEq(keccak256(fresh), keccak256(new bytes(256)));
        vm.assertTrue(Vouchers.leadsTo(sha256(abi.encode(digest)), digest, 1));
        vm.assertEq(keccak256(kept), before);
        vm.assertEq(Vouchers.digest("separator", "id", 1, "anchor", 2), digest);
    }

    function testFuzz_Signature_IsTheSigners(uint256 key, bytes32 hash) public pure {
        key = within(key, 1, type(uint128).max);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, hash);
        bytes32 vs = bytes32(uint256(s) | (uint256(v - 27) << 255));
        vm.assertTrue(Vouchers.isSignedBy(hash, r, vs, vm.addr(key)));
        vm.assertFalse(Vouchers.isSignedBy(hash, r, vs, address(1)));
        vm.assertFalse(Vouchers.isSignedBy(keccak256(abi.encode(hash)), r, vs, vm.addr(key)));
    }

    /// @dev Any r on the curve with any s recovers to somebody. Up to half the order that somebody counts as the signer,
    /// above it not, although the signature is as valid mathematically.
    function test_Signature_LowSOnly() public pure {
        (, bytes32 r,) = vm.sign(7, "any");
        for (uint256 parity = 0; parity < 2; ++parity) {
            bytes32 top = bytes32(parity << 255);
            bytes32 low = bytes32(HALF_ORDER);
            bytes32 high = bytes32(HALF_ORDER + 1);
            address ofLow = ecrecover("hash", uint8(27 + parity), r, low);
            address ofHigh = ecrecover("hash", uint8(27 + parity), r, high);
            vm.assertTrue(ofLow != address(0) && ofHigh != address(0));
            vm.assertTrue(Vouchers.isSignedBy("hash", r, low | top, ofLow));
            vm.assertFalse(Vouchers.isSignedBy("hash", r, high | top, ofHigh));
        }
    }

    /// @dev A signature that recovers to nobody must not match a signer of zero.
    function test_Signature_NobodyIsNotASigner() public pure {
        vm.assertFalse(Vouchers.isSignedBy("hash", 0, 0, address(0)));
    }

    function testFuzz_Ticks_LeadToTheirAnchorOnly(bytes32 seed, uint256 steps) public view {
        uint256 count = within(steps, 1, 64);
        bytes32 anchor = seed;
        for (uint256 i = 0; i < count; ++i) {
            anchor = sha256(abi.encode(anchor));
        }
        vm.assertTrue(Vouchers.leadsTo(anchor, seed, count));
        vm.assertFalse(Vouchers.leadsTo(anchor, seed, count - 1));
        vm.assertFalse(Vouchers.leadsTo(anchor, seed, count + 1));
    }
}
