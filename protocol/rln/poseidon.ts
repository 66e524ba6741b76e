import { poseidon1 } from 'poseidon-lite/poseidon1'
import { poseidon2 } from 'poseidon-lite/poseidon2'
import { poseidon3 } from 'poseidon-lite/poseidon3'
import { PostriderError } from '../errors/index.ts'

const byArity = [poseidon1, poseidon2, poseidon3] as const

/**
 * Poseidon over BN254 with circomlib's parameters, 1 to 3 inputs below p.
 * @throws RLN_VALUE_INVALID for another number of inputs.
 */
export function poseidon(inputs: readonly bigint[]): bigint {
  const hash = byArity[inputs.length - 1]
  if (hash === undefined)
    throw new PostriderError('RLN_VALUE_INVALID', { detail: 'poseidon takes 1 to 3 inputs' })
  return hash([...inputs])
}
