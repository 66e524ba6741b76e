// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Burn} from "../libraries/Burn.sol";

/// @title What the other models take for granted of {Burn}, the contracts' own code
/// @dev Proved for the shares of the deployment; a share as a variable makes the arithmetic non-linear.
contract ShareModel {
    uint256 private constant BURN_BPS = 100;
    uint256 private constant SLASH_BURN_BPS = 8_000;

    /// A settlement's share never falls, and grows by no more than the settlement.
    function shareOfAGrowingTotal(uint96 settled, uint96 total) external pure {
        require(total >= settled);
        uint256 before = Burn.shareDown(settled, BURN_BPS);
        uint256 share = Burn.shareDown(total, BURN_BPS);
        assert(share >= before);
        assert(share - before <= total - settled);
    }

    function shareOfNothing() external pure {
        assert(Burn.shareDown(0, BURN_BPS) == 0);
    }

    /// A slash burns at least its share, and no more than it takes.
    function shareOfASlash(uint96 slashed) external pure {
        uint256 burnt = Burn.shareUp(slashed, SLASH_BURN_BPS);
        assert(burnt <= slashed);
        assert(burnt * Burn.WHOLE_BPS >= uint256(slashed) * SLASH_BURN_BPS);
    }
}
