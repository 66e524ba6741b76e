// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {PermitSignature} from "../interfaces/PermitSignature.sol";

/// @title Taking tokens from the caller
library TokenPull {
    using SafeERC20 for IERC20;

    /// @dev Pulls `amount` from the caller and measures what arrived, so that a token with a fee on transfer cannot
    /// make the books promise more than is there. A call back from the token that pulls as well makes the measured
    /// amount too large, which the caller of this function refuses like any other inexact transfer.
    function pull(IERC20 token, uint256 amount) internal returns (uint256 received) {
        uint256 before = token.balanceOf(address(this));
        token.safeTransferFrom(msg.sender, address(this), amount);
        received = token.balanceOf(address(this)) - before;
    }

    /// @dev Tries the caller's permit. It may fail because somebody submitted it first, which is harmless; so only
    /// the allowance that results is judged.
    /// @return ok Whether the caller's allowance covers `amount`.
    /// @return allowance The caller's allowance.
    function tryPermit(IERC20 token, PermitSignature calldata permit, uint256 amount)
        internal
        returns (bool ok, uint256 allowance)
    {
        try IERC20Permit(address(token)).permit(
            msg.sender, address(this), permit.value, permit.deadline, permit.v, permit.r, permit.s
        ) {} catch {}
        allowance = token.allowance(msg.sender, address(this));
        ok = allowance >= amount;
    }
}
