import { PostriderError } from '@postrider/protocol/errors'
import { BASE_MODULUS, PUBLIC_SIGNALS } from './constants.ts'
import { type Mcl, SIZE } from './mcl.ts'
import type { PointReader } from './points.ts'
import type { VerificationKey } from './types.ts'

/** The verification key in mcl's memory: e(alpha, beta), gamma and delta prepared for Miller loops, the IC points. */
export type LoadedKey = { alphaBeta: number; gamma: number; delta: number; ic: number }

/** @throws CIRCUITS_KEY_INVALID */
export function loadKey(mcl: Mcl, points: PointReader, key: VerificationKey): LoadedKey {
  const { protocol, curve, nPublic, IC } = key
  const fits = protocol === 'groth16' && curve === 'bn128' && nPublic === PUBLIC_SIGNALS
  if (!fits || IC.length !== PUBLIC_SIGNALS + 1) throw invalid('it is for another proof system or circuit')

  function setG1(to: number, [x = '', y = '']: readonly string[]): number {
    if (!points.setG1(to, { x: coordinate(x), y: coordinate(y) }))
      throw invalid('a point is not on the curve')
    return to
  }
  function createG2([x = [], y = []]: readonly string[][]): number {
    const [xr = 0n, xi = 0n, yr = 0n, yi = 0n] = [...x.slice(0, 2), ...y.slice(0, 2)].map(coordinate)
    const at = mcl._malloc(SIZE.g2)
    const valid = points.setG2(at, { x: [xr, xi], y: [yr, yi] })
    if (!valid) throw invalid('a point is not in its group')
    return at
  }
  function prepare(point: number): number {
    const at = mcl._malloc(mcl._mclBn_getUint64NumToPrecompute() * 8)
    mcl._mclBn_precomputeG2(at, point)
    return at
  }

  const ic = mcl._malloc(SIZE.g1 * IC.length)
  for (const [i, point] of IC.entries()) setG1(ic + i * SIZE.g1, point)
  const alphaBeta = mcl._malloc(SIZE.gt)
  mcl._mclBn_pairing(alphaBeta, setG1(mcl._malloc(SIZE.g1), key.vk_alpha_1), createG2(key.vk_beta_2))
  return {
    alphaBeta,
    gamma: prepare(createG2(key.vk_gamma_2)),
    delta: prepare(createG2(key.vk_delta_2)),
    ic,
  }
}

function coordinate(text: string): bigint {
  const value = /^\d{1,78}$/.test(text) ? BigInt(text) : BASE_MODULUS
  if (value >= BASE_MODULUS) throw invalid('a coordinate is not a field element')
  return value
}

function invalid(detail: string): PostriderError {
  return new PostriderError('CIRCUITS_KEY_INVALID', { detail })
}
