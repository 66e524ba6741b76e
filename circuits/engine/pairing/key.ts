import { PostriderError } from '@postrider/protocol/errors'
import { writeElement } from '../codec.ts'
import { BASE_MODULUS, ELEMENT_BYTES, PUBLIC_SIGNALS } from '../constants.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { TOWER_BYTES } from '../kernel/tower.ts'
import type { Points } from '../prover/points.ts'
import type { VerificationKey } from '../types.ts'
import { createFixedBases, type FixedBases } from './fixed-bases.ts'
import type { Miller } from './miller.ts'
import type { TowerValues } from './tower-values.ts'
import type { UntrustedPoints } from './untrusted-points.ts'

/** The verification key in the kernel's memory: e(alpha, beta), the lines of gamma and delta, tables of the IC points. */
export type LoadedKey = { alphaBeta: number; gamma: number; delta: number; ic: FixedBases }

type Parts = {
  kernel: Kernel
  points: Points
  untrusted: UntrustedPoints
  miller: Miller
  tower: TowerValues
}

/** @throws CIRCUITS_KEY_INVALID */
export function loadKey(parts: Parts, key: VerificationKey): LoadedKey {
  const { kernel, points, untrusted, miller, tower } = parts
  const { protocol, curve, nPublic, IC } = key
  const fits = protocol === 'groth16' && curve === 'bn128' && nPublic === PUBLIC_SIGNALS
  if (!fits || IC.length !== PUBLIC_SIGNALS + 1) throw invalid('it is for another proof system or circuit')

  const createG1 = ([x = '', y = '']: readonly string[]): number => {
    const at = kernel.reserve(2 * kernel.g1.size)
    if (!untrusted.setG1(at, encode([x, y]))) throw invalid('a point is not on the curve')
    return at
  }
  const createG2 = ([[xr = '', xi = ''] = [], [yr = '', yi = ''] = []]: readonly string[][]): number => {
    const at = kernel.reserve(2 * kernel.g2.size)
    if (!untrusted.setG2(at, encode([xi, xr, yi, yr]))) throw invalid('a point is not in its group')
    return at
  }

  const bases = IC.map(createG1)
  const alphaBeta = kernel.reserve(TOWER_BYTES)
  miller.loop(alphaBeta, [{ p: createG1(key.vk_alpha_1), q: createG2(key.vk_beta_2) }], [])
  tower.finalExponentiation(alphaBeta)
  return {
    alphaBeta,
    gamma: miller.prepare(createG2(key.vk_gamma_2)),
    delta: miller.prepare(createG2(key.vk_delta_2)),
    ic: createFixedBases(kernel, points, bases),
  }
}

function encode(coordinates: readonly string[]): Uint8Array {
  const bytes = new Uint8Array(coordinates.length * ELEMENT_BYTES)
  for (const [i, text] of coordinates.entries()) {
    const value = /^\d{1,78}$/.test(text) ? BigInt(text) : BASE_MODULUS
    if (value >= BASE_MODULUS) throw invalid('a coordinate is not a field element')
    writeElement(bytes, i * ELEMENT_BYTES, value)
  }
  return bytes
}

function invalid(detail: string): PostriderError {
  return new PostriderError('CIRCUITS_KEY_INVALID', { detail })
}
