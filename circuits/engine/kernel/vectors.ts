// Loops over arrays of scalar-field elements: number-theoretic transform and what surrounds it.
import { block, type Code, I32, i32, type Local, type ModuleBuilder } from '@postrider/protocol/wasm'
import { FIELD_BYTES } from './prime-field.ts'

/** Defines the `name_…` functions below over the prime field `name`. Ends are exclusive addresses. */
export function defineVectors(m: ModuleBuilder, name: string): void {
  const op = (operation: string, ...args: Code[]) => m.call(`${name}_${operation}`, ...args)
  const scratch = i32.const(m.reserve(FIELD_BYTES))
  const next = (pointer: Local, by: Code = i32.const(FIELD_BYTES)) => pointer.set(i32.add(pointer.get, by))

  /** to[i] = left[i] · right[i]. */
  m.define(`${name}_mulEach`, 4, ({ params }) => {
    const [to, left, right, end] = params as Four
    return block.doWhile(
      [op('mul', to.get, left.get, right.get), next(to), next(left), next(right)],
      i32.ltU(to.get, end.get),
    )
  })

  /**
   * to[i] = a[i] · b[i] - c[i], out of Montgomery form, as 32-byte scalars. Operands may be as large as a transform
   * leaves them: their product is then within 6p, and the product with 1 makes it normal.
   */
  m.define(`${name}_quotient`, 5, ({ params }) => {
    const [to, a, b, c, end] = params as [...Four, Local]
    const one = i32.const(m.reserve(FIELD_BYTES))
    return [
      i32.store(one, 0, i32.const(1)),
      block.doWhile(
        [
          op('mul', scratch, a.get, b.get),
          op('mul', c.get, c.get, one),
          op('mul', scratch, scratch, one),
          op('sub', scratch, scratch, c.get),
          op('toBytes', to.get, scratch),
          next(to, i32.const(32)),
          next(a),
          next(b),
          next(c),
        ],
        i32.ltU(to.get, end.get),
      ),
    ]
  })

  /** For each triple of addresses (to, a, b) in the list: to += a · b. */
  m.define(`${name}_addProducts`, 2, (f) => {
    const [list, end] = f.params as [Local, Local]
    const to = f.local(I32)
    return block.doWhile(
      [
        to.set(i32.load(list.get, 0)),
        op('mul', scratch, i32.load(list.get, 4), i32.load(list.get, 8)),
        op('add', to.get, to.get, scratch),
        next(list, i32.const(12)),
      ],
      i32.ltU(list.get, end.get),
    )
  })

  /**
   * One stage of a decimation-in-time transform, in place: blocks of two halves of `half` bytes; the twiddle moves by
   * `step` bytes. Sums stay lazy: a value below kp leaves below (k + 2)p.
   */
  m.define(`${name}_butterflies`, 5, (f) => {
    const [data, end, half, twiddles, step] = f.params as [...Four, Local]
    const [twiddle, stop] = [f.local(I32), f.local(I32)]
    const upper = i32.add(data.get, half.get)
    return block.doWhile(
      [
        twiddle.set(twiddles.get),
        stop.set(upper),
        block.doWhile(
          [
            op('mul', scratch, upper, twiddle.get),
            op('subLazy', upper, data.get, scratch),
            op('addLazy', data.get, data.get, scratch),
            next(data),
            next(twiddle, step.get),
          ],
          i32.ltU(data.get, stop.get),
        ),
        next(data, half.get),
      ],
      i32.ltU(data.get, end.get),
    )
  })

  /** The first stage, where the only twiddle is 1. Operands keep the invariant. */
  m.define(`${name}_butterfliesOfOne`, 2, ({ params }) => {
    const [data, end] = params as [Local, Local]
    const upper = i32.add(data.get, i32.const(FIELD_BYTES))
    return block.doWhile(
      [
        op('copy', scratch, upper),
        op('subLazy', upper, data.get, scratch),
        op('addLazy', data.get, data.get, scratch),
        next(data, i32.const(2 * FIELD_BYTES)),
      ],
      i32.ltU(data.get, end.get),
    )
  })

  /** to[i] = from[order[i]] · factors[i], or a plain permutation when `factors` is 0. */
  m.define(`${name}_permute`, 5, (f) => {
    const [to, from, order, factors, end] = f.params as [...Four, Local]
    const source = i32.add(from.get, i32.load(order.get, 0))
    return block.doWhile(
      [
        block.if(
          factors.get,
          [op('mul', to.get, source, factors.get), next(factors)],
          op('copy', to.get, source),
        ),
        next(to),
        next(order, i32.const(4)),
      ],
      i32.ltU(to.get, end.get),
    )
  })
}

/** to[i] = from[i] · factor, where from are 32-byte numbers: into Montgomery form, or whatever the factor makes. */
export function defineImport(m: ModuleBuilder, name: string): void {
  const scratch = i32.const(m.reserve(FIELD_BYTES))
  m.define(`${name}_import`, 4, ({ params }) => {
    const [to, from, factor, end] = params as Four
    return block.doWhile(
      [
        m.call(`${name}_fromBytes`, scratch, from.get),
        m.call(`${name}_mul`, to.get, scratch, factor.get),
        to.set(i32.add(to.get, i32.const(FIELD_BYTES))),
        from.set(i32.add(from.get, i32.const(32))),
      ],
      i32.ltU(to.get, end.get),
    )
  })
}

type Four = [Local, Local, Local, Local]
