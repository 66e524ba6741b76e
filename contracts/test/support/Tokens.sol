// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @dev Anyone mints; the base of the odd tokens below.
abstract contract OddToken is ERC20("Odd", "ODD") {
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }
}

/// @dev Keeps one percent of every transfer.
contract FeeToken is OddToken {
    function _update(address from, address to, uint256 value) internal override {
        if (from == address(0) || to == address(0)) return super._update(from, to, value);
        uint256 fee = value / 100;
        super._update(from, to, value - fee);
        super._update(from, address(this), fee);
    }
}

/// @dev Lets nobody on its list receive.
contract BlockToken is OddToken {
    error Blocked(address account);

    mapping(address => bool) private _blocked;

    function setBlocked(address account, bool blocked) external {
        _blocked[account] = blocked;
    }

    function _update(address from, address to, uint256 value) internal override {
        if (_blocked[to]) revert Blocked(to);
        super._update(from, to, value);
    }
}

/// @dev Says false instead of reverting, and moves nothing.
contract FalseToken is OddToken {
    function transfer(address, uint256) public pure override returns (bool) {
        return false;
    }

    function transferFrom(address, address, uint256) public pure override returns (bool) {
        return false;
    }
}

/// @dev Moves tokens but returns nothing, as some old tokens do.
contract SilentToken {
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function approve(address spender, uint256 amount) external {
        allowance[msg.sender][spender] = amount;
    }

    function transfer(address to, uint256 amount) external {
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
    }

    function transferFrom(address from, address to, uint256 amount) external {
        allowance[from][msg.sender] -= amount;
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }
}

/// @dev Calls back once, in the middle of a transfer, as a token with hooks does: a call that was prepared before,
/// sent by the token itself. Remembers whether the call succeeded.
contract HookToken is OddToken {
    address private _victim;
    bytes private _call;
    bool public called;
    bool public succeeded;
    bytes public answer;

    function arm(address victim, bytes calldata call) external {
        _victim = victim;
        _call = call;
        called = false;
    }

    /// @dev Lets the token act as a payer or payee of its own.
    function approveFor(address spender, uint256 amount) external {
        _approve(address(this), spender, amount);
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (_victim == address(0) || called) return;
        called = true;
        (succeeded, answer) = _victim.call(_call);
    }
}
