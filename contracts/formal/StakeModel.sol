// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// @title One node's stake, for the solver
/// @dev {NodeRegistry} without what a solver cannot follow: one operator in plain fields, token transfers as sums. Nobody
/// is kept from anything and time may jump either way, so what holds here does not rest on who calls or when. Each
/// function mirrors the one of its name. Of the burnt part of a slash it knows only what {ShareModel} proves of it.
/// Proved by induction: the invariants hold at the start, and {step} shows for every call that they still hold after it
/// if they held before it.
contract StakeModel {
    uint256 private constant MIN_STAKE = 100;
    uint256 private constant UNBONDING_SECONDS = 7 days;

    uint256 private _stake;
    uint256 private _locks;
    uint256 private _exitAt;
    bool private _registered;

    /// What came and went, and when the exit was announced. The contract keeps none of these.
    uint256 private _staked;
    uint256 private _withdrawn;
    uint256 private _burnt;
    uint256 private _rewarded;
    uint256 private _announcedAt;

    modifier step() {
        require(_isBalanced() && _isForgotten() && _isUnbonding());
        uint256 withdrawn = _withdrawn;
        bool mayLeave = _locks == 0 && _exitAt != 0 && block.timestamp >= _announcedAt + UNBONDING_SECONDS;
        _;
        assert(_isBalanced());
        assert(_isForgotten());
        assert(_isUnbonding());
        assert(_withdrawn >= withdrawn);
        assert(_withdrawn == withdrawn || mayLeave); // no stake leaves while it is locked, or before the delay
    }

    constructor() {
        assert(_isBalanced());
        assert(_isForgotten());
        assert(_isUnbonding());
    }

    // ---------------------------------------------------------------- calls

    function register(uint96 stake) external step {
        require(!_registered && stake >= MIN_STAKE);
        _registered = true;
        _stake = stake;
        _staked += stake;
    }

    function addStake(uint96 amount) external step {
        require(_registered && amount > 0 && _exitAt == 0);
        require(amount <= type(uint96).max - _stake);
        _stake += amount;
        _staked += amount;
    }

    function announceExit() external step {
        require(_registered && _exitAt == 0);
        require(block.timestamp <= type(uint40).max - UNBONDING_SECONDS);
        _exitAt = block.timestamp + UNBONDING_SECONDS;
        _announcedAt = block.timestamp;
    }

    function cancelExit() external step {
        require(_registered && _exitAt != 0);
        _exitAt = 0;
        _announcedAt = 0;
    }

    function lock() external step {
        require(_registered);
        _locks += 1;
    }

    function unlock() external step {
        require(_registered && _locks != 0);
        _locks -= 1;
    }

    /// @param burnt Any part of what is slashed.
    function slash(uint256 amount, uint256 burnt) external step {
        require(_registered);
        uint256 slashed = amount < _stake ? amount : _stake;
        require(burnt <= slashed);
        _stake -= slashed;
        uint256 reward = slashed - burnt;
        assert(slashed <= amount); // never more than was asked
        _burnt += burnt;
        _rewarded += reward;
    }

    function withdrawStake() external step {
        require(_registered && _exitAt != 0 && block.timestamp >= _exitAt && _locks == 0);
        _withdrawn += _stake;
        _stake = 0;
        _exitAt = 0;
        _announcedAt = 0;
        _registered = false;
    }

    // ---------------------------------------------------------------- what always holds

    /// All that was ever staked is held, was withdrawn, burnt or given as a reward.
    function _isBalanced() private view returns (bool) {
        return _staked == _stake + _withdrawn + _burnt + _rewarded;
    }

    /// Whoever is not registered holds nothing.
    function _isForgotten() private view returns (bool) {
        return _registered || (_stake == 0 && _locks == 0 && _exitAt == 0);
    }

    function _isUnbonding() private view returns (bool) {
        return _exitAt == 0 || _exitAt == _announcedAt + UNBONDING_SECONDS;
    }
}
