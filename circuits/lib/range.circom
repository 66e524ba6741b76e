pragma circom 2.1.0;

include "bitify.circom";
include "comparators.circom";

// 0 <= in < 2^bits.
template InBits(bits) {
    signal input in;

    // Stops wrap-around: field elements have no order, so a "negative" or huge value (p - 1, say) would pass
    // a comparison that assumes small operands. The bits must recompose to the value itself.
    signal bit[bits] <== Num2Bits(bits)(in);
}

// 0 <= in < bound, for a bound below 2^bits.
template InRange(bits) {
    signal input in;
    signal input bound;

    // LessThan is sound only when both operands fit its width, so both are checked here rather than trusted:
    // a leaf with a limit of 2^16 or more would otherwise have no working upper bound.
    InBits(bits)(in);
    InBits(bits)(bound);

    signal less <== LessThan(bits)([in, bound]);
    less === 1;
}
