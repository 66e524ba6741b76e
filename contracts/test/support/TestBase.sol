// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Vm} from "./Vm.sol";

/// @dev What every test starts from: cheatcodes, named accounts, numbers within bounds.
abstract contract TestBase {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    /// @dev A key, and the address that it signs for.
    struct Account {
        uint256 key;
        address addr;
    }

    function account(string memory name) internal pure returns (Account memory) {
        uint256 key = uint256(keccak256(bytes(name)));
        return Account({key: key, addr: vm.addr(key)});
    }

    /// @dev Deploys the compiled artifact, which is what goes on chain. `new` would embed a second copy that is compiled
    /// with the test, which is slow and not the same code.
    function deploy(string memory artifact, bytes memory arguments) internal returns (address deployed) {
        bytes memory code = bytes.concat(vm.getCode(artifact), arguments);
        assembly ("memory-safe") {
            deployed := create(0, add(code, 0x20), mload(code))
            if iszero(deployed) {
                returndatacopy(code, 0, returndatasize())
                revert(code, returndatasize())
            }
        }
    }

    /// @dev A number in `least` … `most`, spread evenly over fuzzed values.
    function within(uint256 value, uint256 least, uint256 most) internal pure returns (uint256) {
        unchecked {
            uint256 span = most - least + 1;
            return span == 0 ? value : least + (value % span);
        }
    }
}

/// @dev What the invariant runner asks a test for.
abstract contract InvariantBase is TestBase {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    address[] private _targets;
    FuzzSelector[] private _selectors;

    /// @dev Only these functions of `handler` are called, in random order.
    function target(address handler, bytes4[] memory selectors) internal {
        _targets.push(handler);
        _selectors.push(FuzzSelector({addr: handler, selectors: selectors}));
    }

    function targetContracts() public view returns (address[] memory) {
        return _targets;
    }

    function targetSelectors() public view returns (FuzzSelector[] memory) {
        return _selectors;
    }
}
