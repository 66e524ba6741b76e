// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {IPostToken} from "../interfaces/IPostToken.sol";

/// @title The ERC-20 of a development network
/// @dev Anyone mints: never deploy it where money matters.
contract PostToken is ERC20Permit, IPostToken {
    /// @inheritdoc IPostToken
    /// @dev Plenty for any test account, and small enough that 96-bit amounts cannot be exceeded by accident.
    uint256 public constant FAUCET_MAXIMUM = 1_000_000 ether;

    constructor() ERC20("Postrider devnet token", "POST") ERC20Permit("Postrider devnet token") {}

    /// @inheritdoc IPostToken
    function faucet(address to, uint256 amount) external {
        if (amount > FAUCET_MAXIMUM) revert PostToken_FaucetLimit(amount, FAUCET_MAXIMUM);
        _mint(to, amount);
    }

    /// @inheritdoc IERC20Permit
    function nonces(address owner) public view override(ERC20Permit, IERC20Permit) returns (uint256) {
        return super.nonces(owner);
    }
}
