import { createKernel, type Kernel } from '../kernel/kernel.ts'
import { createMultiplier, type Multiplier } from '../kernel/multiply.ts'
import { createTransform } from '../kernel/transform.ts'
import { type LoadedKey, loadProvingKey } from './key.ts'
import { createPoints, type Points } from './points.ts'
import { createQuotient, type Quotient } from './quotient.ts'
import { createWires, type Wires } from './wires.ts'
import type { ProvingKey } from './zkey.ts'

/** What both ways to prove are made of. */
export type Parts = {
  kernel: Kernel
  key: LoadedKey
  g1: Multiplier
  g2: Multiplier
  points: Points
  wires: Wires
  quotient: Quotient
}

export async function createParts(provingKey: ProvingKey): Promise<Parts> {
  const kernel = await createKernel()
  const key = loadProvingKey(kernel, provingKey)
  const points = createPoints(kernel)
  const [g1, g2] = [createMultiplier(kernel, 'g1'), createMultiplier(kernel, 'g2')]
  const wires = createWires({ kernel, key, g1, g2, points })
  const quotient = createQuotient(kernel, createTransform(kernel, key.power))
  return { kernel, key, g1, g2, points, wires, quotient }
}
