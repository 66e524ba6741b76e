// Points of y² = x³ + b in Jacobian coordinates (x / z², y / z³), z = 0 at infinity, over either field of the kernel.
// Formulas from the Explicit-Formulas Database (dbl-2009-l, madd and add for a = 0); complete: equal, opposite and
// infinite operands give what they should.
import { block, type Code, i32, type Local, type ModuleBuilder } from '@postrider/protocol/wasm'

export type Shape = {
  /** Prefix of the functions to define. */
  name: string
  /** Prefix of the field's functions. */
  field: string
  /** Bytes of a coordinate. */
  size: number
  /** Address of the field's 1. */
  one: number
}

/** Defines `name_double(to, a)`, `name_addAffine(to, a, affine)`, `name_add(to, a, b)`. `to` may be an operand. */
export function defineCurve(m: ModuleBuilder, { name, field, size, one }: Shape): void {
  const op = (operation: string, ...args: Code[]) => m.call(`${field}_${operation}`, ...args)
  const scratch = () => i32.const(m.reserve(size))
  // Never written, so it stays what memory starts as.
  const zero = scratch()
  const point = (pointer: Local) => ({
    x: pointer.get,
    y: i32.add(pointer.get, i32.const(size)),
    z: i32.add(pointer.get, i32.const(2 * size)),
  })
  const copy = (to: Local, from: Local): Code =>
    [0, 1, 2].map((i) => {
      const at = i32.const(i * size)
      return op('copy', i32.add(to.get, at), i32.add(from.get, at))
    })

  m.define(`${name}_double`, 2, ({ params }) => {
    const [to, from] = params as [Local, Local]
    const [a, b, c, d, e, yz] = Array.from({ length: 6 }, scratch) as Six
    const [{ x, y, z }, out] = [point(from), point(to)]
    return [
      op('sqr', a, x),
      op('sqr', b, y),
      op('sqr', c, b),
      op('addRaw', d, x, b),
      op('sqr', d, d),
      op('subBoth', d, d, a, c),
      op('double', d, d),
      op('triple', e, a),
      op('mul', yz, y, z),
      op('sqr', b, e),
      op('subTwice', out.x, b, d),
      op('subRaw', d, d, out.x),
      op('mul', e, e, d),
      op('subEight', out.y, e, c),
      op('double', out.z, yz),
    ]
  })

  /** Shared end of both additions: from H = u2 - u1, r = s2 - s1, u1, s1 and z3 = z H. */
  function finishAddition(to: Local, h: Code, r: Code, u1: Code, s1: Code, z: Code): Code {
    const [hh, hhh, v] = Array.from({ length: 3 }, scratch) as unknown as [Code, Code, Code]
    const out = point(to)
    return [
      op('sqr', hh, h),
      op('mul', hhh, h, hh),
      op('mul', v, u1, hh),
      op('mul', s1, s1, hhh),
      op('mul', out.z, z, h),
      op('sqr', hh, r),
      op('subBothTwice', out.x, hh, hhh, v),
      op('subRaw', v, v, out.x),
      op('mul', v, v, r),
      op('sub', out.y, v, s1),
    ]
  }

  /** What happens when the x coordinates agree: the same point, or its opposite. */
  const sameX = (to: Local, a: Local, r: Code): Code => [
    block.if(op('isZero', r), m.call(`${name}_double`, to.get, a.get), op('copy', point(to).z, zero)),
    block.return,
  ]

  m.define(`${name}_addAffine`, 3, ({ params }) => {
    const [to, a, b] = params as [Local, Local, Local]
    const [zz, h, r, u1, s1, z] = Array.from({ length: 6 }, scratch) as Six
    const [left, out] = [point(a), point(to)]
    const by = i32.add(b.get, i32.const(size))
    return [
      block.if(op('isZero', left.z), [
        op('copy', out.x, b.get),
        op('copy', out.y, by),
        op('copy', out.z, i32.const(one)),
        block.return,
      ]),
      op('sqr', zz, left.z),
      op('mul', h, b.get, zz),
      op('sub', h, h, left.x),
      op('mul', r, left.z, zz),
      op('mul', r, r, by),
      op('sub', r, r, left.y),
      op('copy', u1, left.x),
      op('copy', s1, left.y),
      op('copy', z, left.z),
      block.if(op('isZero', h), sameX(to, a, r)),
      finishAddition(to, h, r, u1, s1, z),
    ]
  })

  m.define(`${name}_add`, 3, ({ params }) => {
    const [to, a, b] = params as [Local, Local, Local]
    const [za, zb, h, r, u1, s1] = Array.from({ length: 6 }, scratch) as Six
    const [left, right] = [point(a), point(b)]
    return [
      block.if(op('isZero', left.z), [copy(to, b), block.return]),
      block.if(op('isZero', right.z), [copy(to, a), block.return]),
      op('sqr', za, left.z),
      op('sqr', zb, right.z),
      op('mul', u1, left.x, zb),
      op('mul', h, right.x, za),
      op('sub', h, h, u1),
      op('mul', s1, right.z, zb),
      op('mul', s1, s1, left.y),
      op('mul', r, left.z, za),
      op('mul', r, r, right.y),
      op('sub', r, r, s1),
      block.if(op('isZero', h), sameX(to, a, r)),
      op('mul', za, left.z, right.z),
      finishAddition(to, h, r, u1, s1, za),
    ]
  })
}

type Six = [Code, Code, Code, Code, Code, Code]
