// One member in a small tree, with Poseidon from an implementation that shares nothing with the circuit.
import { poseidon1, poseidon2, poseidon3 } from 'poseidon-lite'
import { type PublicSignals, type RlnInputs, SCALAR_MODULUS, TREE_DEPTH } from '../engine/index.ts'

export const MEMBER = { secret: 0x1234567890abcdefn, limit: 10, index: 5 }

/** Siblings of `index` in a tree whose other leaves are 0, except the neighbour's. */
function pathOf(index: number): Pick<RlnInputs, 'pathElements' | 'identityPathIndex'> {
  const pathElements: bigint[] = []
  let empty = 0n
  for (let level = 0; level < TREE_DEPTH; level++) {
    pathElements.push(level === 0 ? 77n : empty)
    empty = poseidon2([empty, empty])
  }
  return { pathElements, identityPathIndex: pathElements.map((_, level) => (index >> level) & 1) }
}

export function memberInputs(changes: Partial<RlnInputs> = {}): RlnInputs {
  return {
    identitySecret: MEMBER.secret,
    userMessageLimit: MEMBER.limit,
    messageId: 3,
    ...pathOf(MEMBER.index),
    x: 424242n,
    externalNullifier: 987654321n,
    ...changes,
  }
}

/** What the circuit must publish for these inputs. */
export function expectedSignals(inputs: RlnInputs): PublicSignals {
  const { identitySecret, externalNullifier, x } = inputs
  const slope = poseidon3([identitySecret, externalNullifier, BigInt(inputs.messageId)])
  let node = poseidon2([poseidon1([identitySecret]), BigInt(inputs.userMessageLimit)])
  for (const [level, sibling] of inputs.pathElements.entries()) {
    node = inputs.identityPathIndex[level] === 1 ? poseidon2([sibling, node]) : poseidon2([node, sibling])
  }
  const y = (identitySecret + slope * x) % SCALAR_MODULUS
  return [y, node, poseidon1([slope]), x, externalNullifier]
}
