// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IPostToken} from "../interfaces/IPostToken.sol";
import {TestBase} from "./support/TestBase.sol";

contract PostTokenTest is TestBase {
    IPostToken private token;

    function setUp() public {
        token = IPostToken(deploy("PostToken", ""));
    }

    function test_Deploy_NamesIt() public view {
        IERC20Metadata metadata = IERC20Metadata(address(token));
        vm.assertEq(metadata.symbol(), "POST");
        vm.assertEq(metadata.decimals(), 18);
        vm.assertEq(token.totalSupply(), 0);
    }

    function test_Faucet_MintsToAnyone() public {
        token.faucet(address(7), 5 ether);
        vm.assertEq(token.balanceOf(address(7)), 5 ether);
        vm.assertEq(token.totalSupply(), 5 ether);
    }

    function test_Faucet_RevertWhen_TooMuchAtOnce() public {
        uint256 most = token.FAUCET_MAXIMUM();
        token.faucet(address(7), most);
        vm.expectRevert(
            abi.encodeWithSelector(IPostToken.PostToken_FaucetLimit.selector, most + 1, most)
        );
        token.faucet(address(7), most + 1);
    }
}
