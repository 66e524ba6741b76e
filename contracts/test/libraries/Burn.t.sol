// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Burn} from "../../libraries/Burn.sol";
import {TestBase} from "../support/TestBase.sol";

contract BurnTest is TestBase {
    function testFuzz_Shares_AreNextToEachOther(uint128 amount, uint256 share) public pure {
        uint256 bps = within(share, 0, 10_000);
        uint256 down = Burn.shareDown(amount, bps);
        uint256 up = Burn.shareUp(amount, bps);
        vm.assertEq(down, uint256(amount) * bps / 10_000);
        vm.assertEq(up - down, uint256(amount) * bps % 10_000 == 0 ? 0 : 1);
        vm.assertLe(up, amount);
    }
}
