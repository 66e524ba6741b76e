// F_q[u] / (u² + 1) over a prime field of the kernel: an element is the real part, then the imaginary part.
import { type Code, i32, type Local, type ModuleBuilder } from './assembler.ts'
import { FIELD_BYTES } from './prime-field.ts'

const part = (pointer: Local, index: 0 | 1): Code =>
  index === 0 ? pointer.get : i32.add(pointer.get, i32.const(FIELD_BYTES))

/** Operations that act on both parts alike, with the number of their operands. */
const COMPONENTWISE = { add: 2, sub: 2, double: 1, triple: 1, negate: 1, subTwice: 2, subBoth: 3, copy: 1 }

/** Defines the same operations as a prime field has, under `name_`, so that curve formulas serve both. */
export function defineQuadraticField(m: ModuleBuilder, name: string, base: string): void {
  for (const [operation, operands] of Object.entries(COMPONENTWISE)) {
    for (const suffix of operation === 'copy' ? [''] : ['', 'Lazy']) {
      m.define(`${name}_${operation}${suffix}`, 1 + operands, ({ params }) =>
        ([0, 1] as const).map((index) =>
          m.call(`${base}_${operation}${suffix}`, ...params.map((pointer) => part(pointer, index))),
        ),
      )
    }
  }
  m.define(
    `${name}_isZero`,
    1,
    ({ params: [from] }) =>
      i32.and(
        m.call(`${base}_isZero`, part(from as Local, 0)),
        m.call(`${base}_isZero`, part(from as Local, 1)),
      ),
    true,
  )
  defineProduct(m, name, base)
  defineSquare(m, name, base)
}

/** Karatsuba: three products. Operands keep the invariant or are lazy sums of two such, below 4p. */
function defineProduct(m: ModuleBuilder, name: string, base: string): void {
  const [real, imaginary, left, right] = reserve(m, 4)
  const call = (operation: string, ...args: Code[]) => m.call(`${base}_${operation}`, ...args)
  m.define(`${name}_mul`, 3, ({ params }) => {
    const [to, a, b] = params as [Local, Local, Local]
    return [
      // Below 8p each, 64 p² together.
      call('addLazy', left, part(a, 0), part(a, 1)),
      call('addLazy', right, part(b, 0), part(b, 1)),
      call('mul', real, part(a, 0), part(b, 0)),
      call('mul', imaginary, part(a, 1), part(b, 1)),
      call('mul', left, left, right),
      call('subBoth', part(to, 1), left, real, imaginary),
      call('sub', part(to, 0), real, imaginary),
    ]
  })
}

/** (a + bu)² = (a + b)(a - b) + 2ab u: two products. Operand below 2p. */
function defineSquare(m: ModuleBuilder, name: string, base: string): void {
  const [sum, difference] = reserve(m, 2)
  const call = (operation: string, ...args: Code[]) => m.call(`${base}_${operation}`, ...args)
  m.define(`${name}_sqr`, 2, ({ params }) => {
    const [to, a] = params as [Local, Local]
    return [
      call('addLazy', sum, part(a, 0), part(a, 1)),
      call('subLazy', difference, part(a, 0), part(a, 1)),
      call('mul', part(to, 1), part(a, 0), part(a, 1)),
      call('double', part(to, 1), part(to, 1)),
      call('mul', part(to, 0), sum, difference),
    ]
  })
}

function reserve(m: ModuleBuilder, count: number): [Code, Code, Code, Code] {
  const at = Array.from({ length: count }, () => i32.const(m.reserve(FIELD_BYTES)))
  return at as unknown as [Code, Code, Code, Code]
}
