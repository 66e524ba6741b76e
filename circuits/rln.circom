pragma circom 2.1.0;

include "poseidon.circom";
include "lib/merkle.circom";
include "lib/range.circom";

// Rate-Limiting Nullifier, version 2. "I am a member, this is one of my `limit` messages of this epoch, and
// whoever sees two messages under the same message id can compute my secret."
//
// Public signals, in this order: y, root, nullifier (outputs), x, externalNullifier (inputs).
// The caller refuses x = 0: there y is the secret itself.
template RLN(depth, limitBits) {
    signal input identitySecret;
    signal input userMessageLimit;
    signal input messageId;
    signal input pathElements[depth];
    signal input identityPathIndex[depth];
    signal input x;
    signal input externalNullifier;

    signal output y;
    signal output root;
    signal output nullifier;

    // The limit is part of the leaf, so nobody can claim a higher one than was paid for.
    signal commitment <== Poseidon(1)([identitySecret]);
    signal leaf <== Poseidon(2)([commitment, userMessageLimit]);

    // Stops outsiders. The verifier compares `root` with the roots that the contract's events give.
    root <== MerkleRoot(depth)(leaf, pathElements, identityPathIndex);

    // Stops a member from sending more than `limit` messages per epoch: each id gives one nullifier, and the
    // ids are 0 .. limit - 1.
    InRange(limitBits)(messageId, userMessageLimit);

    // The line y = secret + slope * x. Slope and nullifier follow from (secret, externalNullifier, messageId),
    // so a second x under the same id gives a second point of the same line, and with it the secret. The slope
    // hides the secret as long as there is one point only.
    signal slope <== Poseidon(3)([identitySecret, externalNullifier, messageId]);
    y <== identitySecret + slope * x;

    // Published instead of the slope: the slope together with one point would give the secret away.
    nullifier <== Poseidon(1)([slope]);
}
