// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @notice An EIP-2612 permit of the caller for the called contract.
/// @param value The allowance that was signed, in base units; may exceed the amount that the call takes.
/// @param deadline Unix time in seconds after which the permit is void.
/// @param v Recovery id of the signature, 27 or 28.
/// @param r First half of the signature.
/// @param s Second half of the signature.
struct PermitSignature {
    uint256 value;
    uint256 deadline;
    uint8 v;
    bytes32 r;
    bytes32 s;
}
