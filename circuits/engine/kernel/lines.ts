// Steps of Miller's loop: a point of the twist is doubled or added to, and the line through the points is evaluated at a
// point of G1 and multiplied into the loop's value.
//
// The running point is in homogeneous coordinates (x / z, y / z); formulas from Costello, Lange, Naehrig, "Faster pairing
// computations on curves with high-degree twists", scaled so that nothing is halved. A line is three coefficients of
// F_q^2: the first is multiplied by P's y, the second by P's x.
import { type Code, i32, type Local, type ModuleBuilder } from '@postrider/protocol/wasm'
import { FIELD_BYTES } from './prime-field.ts'
import { QUADRATIC_BYTES } from './quadratic-field.ts'

export const LINE_BYTES = 3 * QUADRATIC_BYTES

const at = (pointer: Local, index: number): Code =>
  index === 0 ? pointer.get : i32.add(pointer.get, i32.const(index * QUADRATIC_BYTES))

/** Defines `line_double(line, t)`, `line_add(line, t, q)` and `line_multiply(f, line, p)`. `tripleB` is 3 b of the twist. */
export function defineLines(m: ModuleBuilder, tripleB: number): void {
  const op = (operation: string, ...args: Code[]) => m.call(`fp2_${operation}`, ...args)
  const scratch = () => i32.const(m.reserve(QUADRATIC_BYTES))
  const [a, b, c, e, f, g, h] = Array.from({ length: 7 }, scratch) as Seven

  m.define('line_double', 2, ({ params }) => {
    const [line, t] = params as [Local, Local]
    const [x, y, z] = [at(t, 0), at(t, 1), at(t, 2)]
    return [
      op('mul', a, x, y),
      op('sqr', b, y),
      op('sqr', c, z),
      op('addRaw', h, y, z),
      op('sqr', h, h),
      op('addSub', at(line, 0), b, c, h),
      op('mul', e, c, i32.const(tripleB)),
      op('triple', f, e),
      op('sqr', c, x),
      op('triple', at(line, 1), c),
      op('sub', at(line, 2), e, b),
      // x' = 2xy (y² - 9bz²), y' = (y² + 9bz²)² - 12 (3bz²)², z' = 8y³z
      op('addRaw', a, a, a),
      op('subRaw', g, b, f),
      op('mul', x, a, g),
      op('addRaw', g, b, f),
      op('sqr', g, g),
      op('sqr', e, e),
      op('subTwelve', y, g, e),
      op('mul', z, b, at(line, 0)),
      op('timesMinusFour', z, z),
    ]
  })

  m.define('line_add', 3, ({ params }) => {
    const [line, t, q] = params as [Local, Local, Local]
    const [x, y, z] = [at(t, 0), at(t, 1), at(t, 2)]
    const [lambda, minusTheta] = [at(line, 0), at(line, 1)]
    return [
      op('mul', a, at(q, 1), z),
      op('sub', minusTheta, a, y),
      op('mul', a, at(q, 0), z),
      op('sub', lambda, x, a),
      op('sqr', c, minusTheta),
      op('sqr', b, lambda),
      op('mul', e, lambda, b),
      op('mul', f, z, c),
      op('mul', g, x, b),
      op('addRaw', h, e, f),
      op('subTwice', h, h, g),
      op('mul', x, lambda, h),
      op('subRaw', g, h, g),
      op('mul', g, g, minusTheta),
      op('mul', z, z, e),
      op('mul', e, e, y),
      op('sub', y, g, e),
      op('mul', a, minusTheta, at(q, 0)),
      op('mul', b, lambda, at(q, 1)),
      op('minusBoth', at(line, 2), a, b),
    ]
  })

  m.define('line_multiply', 3, ({ params }) => {
    const [value, line, p] = params as [Local, Local, Local]
    const scale = (to: Code, coefficient: number, by: Code): Code =>
      [0, 1].map((part) => {
        const bytes = i32.const(part * FIELD_BYTES)
        return m.call('fp_mul', i32.add(to, bytes), i32.add(at(line, coefficient), bytes), by)
      })
    return [
      scale(a, 0, i32.add(p.get, i32.const(FIELD_BYTES))),
      scale(b, 1, p.get),
      m.call('fp12_mulByLine', value.get, a, b, at(line, 2)),
    ]
  })
}

type Seven = [Code, Code, Code, Code, Code, Code, Code]
