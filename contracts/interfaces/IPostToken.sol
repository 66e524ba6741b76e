// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";

/// @title The ERC-20 of a development network
/// @notice 18 decimals, symbol POST, with EIP-2612 permit. Anyone mints through the faucet, so it is worth
/// nothing: a real deployment names an existing plain ERC-20 instead.
interface IPostToken is IERC20, IERC20Permit {
    /// @notice More was asked of the faucet than one call gives.
    /// @param amount What was asked, in base units.
    /// @param maximum What one call gives at most, in base units.
    error PostToken_FaucetLimit(uint256 amount, uint256 maximum);

    /// @notice Mints `amount` to `to`. Anyone may call. Development networks only.
    /// @param to Receiver of the new tokens.
    /// @param amount Base units, at most {FAUCET_MAXIMUM}; more reverts with {PostToken_FaucetLimit}.
    function faucet(address to, uint256 amount) external;

    /// @notice What one call of {faucet} mints at most, in base units.
    function FAUCET_MAXIMUM() external view returns (uint256);
}
