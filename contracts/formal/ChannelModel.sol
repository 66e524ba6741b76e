// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// @title One channel's arithmetic, for the solver
/// @dev {PaymentChannels} without what a solver cannot follow: one channel in plain fields, claims as bare totals, token
/// transfers as sums. Nobody is kept from anything and time may jump either way, so what holds here does not rest on who
/// calls or when. Each function mirrors the one of its name. Of burnt shares it knows only what {ShareModel} proves of them.
/// Proved by induction: the invariants hold at the start, and {step} shows for every call that they still hold after it
/// if they held before it.
contract ChannelModel {
    enum Status {
        None,
        Open,
        Closing,
        Closed
    }

    uint256 private constant THAW_SECONDS = 1 days;

    uint256 private _deposit;
    uint256 private _settled;
    uint256 private _closeAt;
    Status private _status;

    /// What left the channel, and when the payer asked for it. The contract keeps none of these.
    uint256 private _paid;
    uint256 private _refunded;
    uint256 private _burnt;
    uint256 private _requestedAt;
    /// The burnt share of what is settled so far.
    uint256 private _share;
    bool private _ended;

    modifier step() {
        require(_isUnopened() && _isPaidOut() && _isWithinTheDeposit() && _isThawing() && _isFinal());
        bool ended = _ended;
        uint256 settled = _settled;
        uint256 deposit = _deposit;
        _;
        assert(_isUnopened());
        assert(_isPaidOut());
        assert(_isWithinTheDeposit());
        assert(_isThawing());
        assert(_isFinal());
        assert(settled <= _settled); // what is settled never falls
        assert(deposit <= _deposit); // nor does the deposit
        assert(!ended || (_ended && settled == _settled && deposit == _deposit)); // what is closed never changes
    }

    constructor() {
        assert(_isUnopened());
        assert(_isPaidOut());
        assert(_isWithinTheDeposit());
        assert(_isThawing());
        assert(_isFinal());
    }

    // ---------------------------------------------------------------- calls

    function open(uint96 amount) external step {
        require(amount > 0 && _status == Status.None);
        _deposit = amount;
        _status = Status.Open;
    }

    function topUp(uint96 amount) external step {
        require(amount > 0 && _status == Status.Open);
        require(_deposit + amount <= type(uint96).max);
        _deposit += amount;
    }

    /// @param share The burnt share of `total`.
    function settle(uint256 total, uint256 share) external step {
        require(_honoursClaims() && total > _settled && total <= _deposit);
        _credit(total, share);
    }

    /// @param share The burnt share of `total`.
    function close(uint256 total, uint256 share) external step {
        require(_honoursClaims() && total <= _deposit);
        // A claim that does not grow closes without one.
        if (total > _settled) _credit(total, share);
        assert(!_ended); // once only
        _end();
    }

    function requestClose() external step {
        require(_status == Status.Open && block.timestamp <= type(uint40).max - THAW_SECONDS);
        _status = Status.Closing;
        _closeAt = block.timestamp + THAW_SECONDS;
        _requestedAt = block.timestamp;
    }

    function withdraw() external step {
        require(_status == Status.Closing && block.timestamp >= _closeAt);
        assert(block.timestamp >= _requestedAt + THAW_SECONDS); // the thaw has passed
        assert(!_ended); // once only
        _end();
    }

    // ---------------------------------------------------------------- what always holds

    /// A channel that was never opened holds nothing.
    function _isUnopened() private view returns (bool) {
        return _status != Status.None || (_deposit == 0 && _settled == 0);
    }

    /// What is settled was paid out, but for the burnt share.
    function _isPaidOut() private view returns (bool) {
        return _paid + _share == _settled;
    }

    function _isWithinTheDeposit() private view returns (bool) {
        return _settled <= _deposit;
    }

    function _isThawing() private view returns (bool) {
        return _status != Status.Closing || _closeAt == _requestedAt + THAW_SECONDS;
    }

    /// Refund and burn come with the end, and with the payments they are the deposit, to the last unit.
    function _isFinal() private view returns (bool) {
        return _ended
            ? _status == Status.Closed && _paid + _burnt + _refunded == _deposit
            : _status != Status.Closed && _refunded == 0 && _burnt == 0;
    }

    // ---------------------------------------------------------------- inside

    function _honoursClaims() private view returns (bool) {
        return _status == Status.Open || _status == Status.Closing;
    }

    function _credit(uint256 total, uint256 share) private {
        require(share >= _share && share - _share <= total - _settled);
        _paid += total - _settled - (share - _share);
        _share = share;
        _settled = total;
    }

    function _end() private {
        _status = Status.Closed;
        _refunded += _deposit - _settled;
        _burnt += _share;
        _ended = true;
    }
}
