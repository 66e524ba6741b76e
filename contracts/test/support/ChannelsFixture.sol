// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPaymentChannels} from "../../interfaces/IPaymentChannels.sol";
import {IPostToken} from "../../interfaces/IPostToken.sol";
import {PermitSignature} from "../../interfaces/PermitSignature.sol";
import {TestBase} from "./TestBase.sol";

/// @dev A deployed set of channels, a funded payer, and vouchers to sign.
abstract contract ChannelsFixture is TestBase {
    uint256 internal constant THAW = 1 days;
    uint256 internal constant BURN_BPS = 100;
    uint96 internal constant DEPOSIT = 100 ether;
    bytes32 internal constant SALT = "salt";
    address internal constant SINK = 0x000000000000000000000000000000000000dEaD;

    IPostToken internal token;
    IPaymentChannels internal channels;
    Account internal payer;
    Account internal payee;
    Account internal signer;
    Account internal stranger;

    function setUp() public virtual {
        vm.warp(1_700_000_000);
        payer = account("payer");
        payee = account("payee");
        signer = account("signer");
        stranger = account("stranger");
        token = IPostToken(deploy("PostToken", ""));
        channels = deployChannels(address(token), THAW, BURN_BPS);
        fund(payer.addr);
        fund(stranger.addr);
    }

    function deployChannels(address token_, uint256 thaw, uint256 burnBps)
        internal
        returns (IPaymentChannels)
    {
        return IPaymentChannels(deploy("PaymentChannels", abi.encode(token_, thaw, burnBps)));
    }

    /// @dev Tokens and an endless allowance.
    function fund(address owner) internal {
        token.faucet(owner, 1_000_000 ether);
        vm.prank(owner);
        token.approve(address(channels), type(uint256).max);
    }

    function descriptor() internal view returns (IPaymentChannels.ChannelDescriptor memory) {
        return descriptorOf(payer.addr, SALT);
    }

    function descriptorOf(address from, bytes32 salt)
        internal
        view
        returns (IPaymentChannels.ChannelDescriptor memory)
    {
        return IPaymentChannels.ChannelDescriptor({
            payer: from, payee: payee.addr, signer: signer.addr, salt: salt
        });
    }

    /// @dev The id, computed here rather than asked, so that it can stand behind a prank and checks the contract.
    function idOf(IPaymentChannels.ChannelDescriptor memory d) internal view returns (bytes32) {
        return keccak256(
            abi.encode(
                d.payer, d.payee, address(token), d.salt, d.signer, address(channels), block.chainid
            )
        );
    }

    /// @dev The EIP-712 digest, computed here for the same reason.
    function digestOf(address verifyingContract, IPaymentChannels.Voucher memory voucher)
        internal
        view
        returns (bytes32)
    {
        bytes32 separator = keccak256(
            abi.encode(
                keccak256(
                    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
                ),
                keccak256("Postrider PaymentChannels"),
                keccak256("1"),
                block.chainid,
                verifyingContract
            )
        );
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256(
                    "Voucher(bytes32 channelId,uint128 cumulative,bytes32 tickAnchor,uint64 tickValue)"
                ),
                voucher.channelId,
                voucher.cumulative,
                voucher.tickAnchor,
                voucher.tickValue
            )
        );
        return keccak256(abi.encodePacked("\x19\x01", separator, structHash));
    }

    function openChannel() internal returns (bytes32 id) {
        return openChannel(payer.addr, SALT, DEPOSIT);
    }

    function openChannel(address from, bytes32 salt, uint96 amount) internal returns (bytes32 id) {
        vm.prank(from);
        return channels.open(payee.addr, signer.addr, salt, amount);
    }

    /// @dev A claim for the channel of {descriptor} without ticks, signed by the signer.
    function claimFor(uint128 cumulative) internal view returns (IPaymentChannels.Claim memory) {
        return claimFor(idOf(descriptor()), cumulative);
    }

    function claimFor(bytes32 id, uint128 cumulative) internal view returns (IPaymentChannels.Claim memory) {
        IPaymentChannels.Claim memory claim;
        claim.cumulative = cumulative;
        return signed(claim, id, signer.key);
    }

    /// @dev A claim of `count` ticks of `value` each, from a chain of 64.
    function tickClaim(uint128 cumulative, uint64 value, uint8 count)
        internal
        view
        returns (IPaymentChannels.Claim memory)
    {
        bytes32[] memory chain = tickChain("seed");
        IPaymentChannels.Claim memory claim;
        claim.cumulative = cumulative;
        claim.tickAnchor = chain[0];
        claim.tickValue = value;
        claim.tickCount = count;
        claim.tickPreimage = chain[count];
        return signed(claim, idOf(descriptor()), signer.key);
    }

    /// @dev `chain[i]` is the i-th preimage; `sha256(chain[i]) == chain[i - 1]`; `chain[0]` is the anchor.
    function tickChain(bytes32 seed) internal pure returns (bytes32[] memory chain) {
        chain = new bytes32[](66);
        chain[65] = seed;
        for (uint256 i = 65; i > 0; --i) {
            chain[i - 1] = sha256(abi.encode(chain[i]));
        }
    }

    /// @dev Signs what a claim says, with any key.
    function signed(IPaymentChannels.Claim memory claim, bytes32 id, uint256 key)
        internal
        view
        returns (IPaymentChannels.Claim memory)
    {
        bytes32 digest = digestOf(
            address(channels),
            IPaymentChannels.Voucher({
                channelId: id,
                cumulative: claim.cumulative,
                tickAnchor: claim.tickAnchor,
                tickValue: claim.tickValue
            })
        );
        (claim.r, claim.vs) = compact(key, digest);
        return claim;
    }

    function compact(uint256 key, bytes32 digest) internal pure returns (bytes32 r, bytes32 vs) {
        (uint8 v, bytes32 r_, bytes32 s) = vm.sign(key, digest);
        return (r_, bytes32(uint256(s) | (uint256(v - 27) << 255)));
    }

    function noClaim() internal pure returns (IPaymentChannels.Claim memory claim) {}

    function item(IPaymentChannels.ChannelDescriptor memory d, IPaymentChannels.Claim memory claim)
        internal
        pure
        returns (IPaymentChannels.ChannelClaim memory)
    {
        return IPaymentChannels.ChannelClaim({
            payer: d.payer, signer: d.signer, salt: d.salt, claim: claim
        });
    }

    /// @dev What reaches the payee of `amount`, starting from nothing settled.
    function net(uint256 amount) internal pure returns (uint256) {
        return amount - burnShare(amount);
    }

    function burnShare(uint256 amount) internal pure returns (uint256) {
        return amount * BURN_BPS / 10_000;
    }

    function stateOf(bytes32 id) internal view returns (IPaymentChannels.Channel memory) {
        return channels.channel(id);
    }

    function assertStatus(bytes32 id, IPaymentChannels.ChannelStatus status) internal view {
        vm.assertEq(uint256(stateOf(id).status), uint256(status));
    }

    function permitFor(Account memory owner, uint256 value, uint256 deadline)
        internal
        view
        returns (PermitSignature memory)
    {
        return permitFor(owner, address(channels), value, deadline);
    }

    function permitFor(Account memory owner, address spender, uint256 value, uint256 deadline)
        internal
        view
        returns (PermitSignature memory)
    {
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256(
                    "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
                ),
                owner.addr,
                spender,
                value,
                token.nonces(owner.addr),
                deadline
            )
        );
        bytes32 digest =
            keccak256(abi.encodePacked("\x19\x01", token.DOMAIN_SEPARATOR(), structHash));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(owner.key, digest);
        return PermitSignature({value: value, deadline: deadline, v: v, r: r, s: s});
    }
}
