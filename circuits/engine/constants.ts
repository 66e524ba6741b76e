/** Order of the base field of alt_bn128 (BN254): point coordinates are below it. */
export const BASE_MODULUS = 21888242871839275222246405745257275088696311157297823662689037894645226208583n

/** Order of the scalar field: wires, public signals and group order. */
export const SCALAR_MODULUS = 21888242871839275222246405745257275088548364400416034343698204186575808495617n

/** The curve's parameter: q and r are polynomials in it, and G2's subgroup check multiplies by it. */
export const CURVE_PARAMETER = 4965661367192848881n

/** Bytes of one field element on the wire, big-endian. */
export const ELEMENT_BYTES = 32

/** Bytes of a proof: A (64), B (128), C (64) in EIP-197's encoding. */
export const PROOF_BYTES = 256

/** y, root, nullifier, x, externalNullifier. */
export const PUBLIC_SIGNALS = 5

/** Levels of the membership tree, as in params.json. */
export const TREE_DEPTH = 20

/** Largest userMessageLimit that fits the circuit's 16-bit range check. */
export const MAX_MESSAGE_LIMIT = 65_535n
