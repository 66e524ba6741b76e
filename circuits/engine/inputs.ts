import { PostriderError } from '@postrider/protocol/errors'
import { MAX_MESSAGE_LIMIT, SCALAR_MODULUS, TREE_DEPTH } from './constants.ts'
import type { RlnInputs } from './types.ts'
import type { WitnessInputs } from './witness.ts'

/**
 * Checks what the circuit cannot: that the numbers mean what they say before they are reduced modulo p, and that
 * x is not 0, where y would be the secret.
 *
 * @throws CIRCUITS_INPUT_INVALID
 */
export function toWitnessInputs(inputs: RlnInputs): WitnessInputs {
  const limit = BigInt(inputs.userMessageLimit)
  const messageId = BigInt(inputs.messageId)
  if (limit < 1n || limit > MAX_MESSAGE_LIMIT) throw invalid('userMessageLimit')
  if (messageId < 0n || messageId >= limit) throw invalid('messageId')
  if (inputs.pathElements.length !== TREE_DEPTH) throw invalid('pathElements')
  if (inputs.identityPathIndex.length !== TREE_DEPTH) throw invalid('identityPathIndex')
  if (inputs.identityPathIndex.some((bit) => bit !== 0 && bit !== 1)) throw invalid('identityPathIndex')
  if (inputs.x === 0n) throw invalid('x')
  const named: [string, readonly bigint[]][] = [
    ['identitySecret', [inputs.identitySecret]],
    ['userMessageLimit', [limit]],
    ['messageId', [messageId]],
    ['pathElements', inputs.pathElements],
    ['identityPathIndex', inputs.identityPathIndex.map(BigInt)],
    ['x', [inputs.x]],
    ['externalNullifier', [inputs.externalNullifier]],
  ]
  for (const [name, values] of named) {
    if (values.some((value) => value < 0n || value >= SCALAR_MODULUS)) throw invalid(name)
  }
  return Object.fromEntries(named)
}

// Names the input and never its value: the secret is one of them.
function invalid(input: string): PostriderError {
  return new PostriderError('CIRCUITS_INPUT_INVALID', { detail: input, data: { input } })
}
