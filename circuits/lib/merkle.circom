pragma circom 2.1.0;

include "poseidon.circom";

// Root of the incremental Merkle tree (Poseidon, binary, fixed depth) that holds `leaf` at the position whose
// bits, lowest first, are `pathIndex`. pathIndex[i] = 1 means that the node of level i is a right child.
template MerkleRoot(depth) {
    signal input leaf;
    signal input pathElements[depth];
    signal input pathIndex[depth];
    signal output root;

    signal node[depth + 1];
    signal left[depth];
    signal right[depth];

    node[0] <== leaf;
    for (var i = 0; i < depth; i++) {
        // Stops a forged membership: with an index outside {0, 1} the selection below becomes a free linear
        // combination of node and sibling, from which pairs that hash to a known node can be aimed at.
        pathIndex[i] * (pathIndex[i] - 1) === 0;

        left[i] <== node[i] + pathIndex[i] * (pathElements[i] - node[i]);
        right[i] <== node[i] + pathElements[i] - left[i];
        node[i + 1] <== Poseidon(2)([left[i], right[i]]);
    }
    root <== node[depth];
}
