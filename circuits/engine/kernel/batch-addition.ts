// Many independent additions of affine points for one inversion: six products each instead of eleven.
//
// A list says what to do: one 32-bit entry per output point, `index << 2 | flags`. A pair is replaced by its sum, a
// single point is copied, so that a list halves every bucket of a multi-scalar product at once. Points lie one after
// the other, x then y, and infinity does not occur: the caller treats sums that would be infinite apart.
import {
  block,
  type Code,
  type FunctionBuilder,
  I32,
  i32,
  type Local,
  type ModuleBuilder,
} from '@postrider/protocol/wasm'
import type { Shape } from './curve.ts'

export const PAIR = 1
/** The pair's points are equal: the sum is a doubling. `denominatorsWithCare` sets it. */
export const DOUBLING = 2

export function defineBatchAddition(m: ModuleBuilder, { name, field, size }: Shape): void {
  const op = (operation: string, ...args: Code[]) => m.call(`${field}_${operation}`, ...args)
  const [d, inverse, slope, square, x3] = Array.from({ length: 5 }, () => i32.const(m.reserve(size))) as [
    Code,
    Code,
    Code,
    Code,
    Code,
  ]

  /** The two points of an entry. */
  const operands = (f: FunctionBuilder, points: Local, entry: Local) => {
    const x1 = f.local(I32)
    const at = (offset: number) => i32.add(x1.get, i32.const(offset))
    const find = x1.set(i32.add(points.get, i32.mul(i32.shrU(entry.get, i32.const(2)), i32.const(2 * size))))
    return { find, x1: x1.get, y1: at(size), x2: at(2 * size), y2: at(3 * size) }
  }
  const has = (entry: Local, flag: number) => i32.and(entry.get, i32.const(flag))
  const advance = (pointer: Local, by: number) => pointer.set(i32.add(pointer.get, i32.const(by)))

  /** products[j] = running product before pair j; running *= denominator of pair j. */
  m.define(`${name}_denominators`, 5, (f) => {
    const [list, end, points, products, running] = f.params as Five
    const entry = f.local(I32)
    const { find, x1, x2 } = operands(f, points, entry)
    return block.doWhile(
      [
        entry.set(i32.load(list.get, 0)),
        block.if(has(entry, PAIR), [
          find,
          op('subRaw', d, x2, x1),
          op('copy', products.get, running.get),
          op('mul', running.get, running.get, d),
          advance(products, size),
        ]),
        advance(list, 4),
      ],
      i32.ltU(list.get, end.get),
    )
  })

  /** The same, marking pairs of equal points; leaves 1 as soon as a sum would be infinite. */
  m.define(
    `${name}_denominatorsWithCare`,
    5,
    (f) => {
      const [list, end, points, products, running] = f.params as Five
      const entry = f.local(I32)
      const { find, x1, y1, x2, y2 } = operands(f, points, entry)
      const mark = i32.store(list.get, 0, i32.or(entry.get, i32.const(DOUBLING)))
      const sameX: Code = [
        op('sub', d, y2, y1),
        block.if(i32.eqz(op('isZero', d)), [i32.const(1), block.return]),
        op('double', d, y1),
        mark,
      ]
      return [
        block.doWhile(
          [
            entry.set(i32.load(list.get, 0)),
            block.if(has(entry, PAIR), [
              find,
              op('sub', d, x2, x1),
              block.if(op('isZero', d), sameX),
              op('copy', products.get, running.get),
              op('mul', running.get, running.get, d),
              advance(products, size),
            ]),
            advance(list, 4),
          ],
          i32.ltU(list.get, end.get),
        ),
        i32.const(0),
      ]
    },
    true,
  )

  /**
   * Carries the list out, last entry first: `list`, `products` and `to` point behind their ends, `running` holds the
   * inverse of the whole product.
   */
  m.define(`${name}_addPairs`, 6, (f) => {
    const [list, begin, points, products, running, to] = f.params as [...Five, Local]
    const entry = f.local(I32)
    const { find, x1, y1, x2, y2 } = operands(f, points, entry)
    const y3 = i32.add(to.get, i32.const(size))
    const numeratorAndDenominator = block.if(
      has(entry, DOUBLING),
      [op('double', d, y1), op('sqr', slope, x1), op('triple', slope, slope)],
      [op('subRaw', d, x2, x1), op('subRaw', slope, y2, y1)],
    )
    const sum: Code = [
      advance(products, -size),
      numeratorAndDenominator,
      op('mul', inverse, running.get, products.get),
      op('mul', running.get, running.get, d),
      op('mul', slope, slope, inverse),
      op('sqr', square, slope),
      op('subBoth', x3, square, x1, x2),
      op('subRaw', d, x1, x3),
      op('mul', d, d, slope),
      op('sub', y3, d, y1),
      op('copy', to.get, x3),
    ]
    const single: Code = [op('copy', to.get, x1), op('copy', y3, y1)]
    return block.doWhile(
      [
        advance(list, -4),
        advance(to, -2 * size),
        entry.set(i32.load(list.get, 0)),
        find,
        block.if(has(entry, PAIR), sum, single),
      ],
      i32.gtU(list.get, begin.get),
    )
  })
}

type Five = [Local, Local, Local, Local, Local]
