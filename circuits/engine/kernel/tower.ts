// The field of pairing values: F_q^6 = F_q^2[v] / (v³ - xi) and F_q^12 = F_q^6[w] / (w² - v), with xi = 9 + u. An element
// is its coefficients one after the other, all normal.
//
// Sums of several terms, with factors of xi among them, are made in one pass that carries and reduces once.
import { type Code, i32, type Local, type ModuleBuilder } from '@postrider/protocol/wasm'
import { defineSum, FIELD_BYTES } from './prime-field.ts'
import { QUADRATIC_BYTES } from './quadratic-field.ts'

export const SEXTIC_BYTES = 3 * QUADRATIC_BYTES
export const TOWER_BYTES = 2 * SEXTIC_BYTES

/**
 * Weighted sums over F_q^2: each weight is a + b xi, given as [a, b]. They must not write over an operand that their
 * imaginary part still needs: destinations are other addresses than the operands of terms with xi.
 */
const QUADRATIC_SUMS: Record<string, readonly (readonly [number, number])[]> = {
  mulXi: [[0, 1]],
  addXi: [
    [1, 0],
    [0, 1],
  ],
  subXi: [
    [1, 0],
    [0, -1],
  ],
  /** v0 + xi (t - v1 - v2) */
  lowest: [
    [1, 0],
    [0, 1],
    [0, -1],
    [0, -1],
  ],
  /** t - v0 - v1 + xi v2 */
  middle: [
    [1, 0],
    [-1, 0],
    [-1, 0],
    [0, 1],
  ],
  /** t - v0 - v2 + v1 */
  highest: [
    [1, 0],
    [-1, 0],
    [-1, 0],
    [1, 0],
  ],
  /** v0 + xi (t - v1) */
  lowestOfTwo: [
    [1, 0],
    [0, 1],
    [0, -1],
  ],
  /** t - v0 + v1 */
  highestOfTwo: [
    [1, 0],
    [-1, 0],
    [1, 0],
  ],
  /** t - v0 - xi v1 */
  subSubXi: [
    [1, 0],
    [-1, 0],
    [0, -1],
  ],
  /** t - (1 + xi) v */
  subBothXi: [
    [1, 0],
    [-1, -1],
  ],
  /** 3 t - 2 z and 3 t + 2 z */
  tripleSubTwice: [
    [3, 0],
    [-2, 0],
  ],
  tripleAddTwice: [
    [3, 0],
    [2, 0],
  ],
  /** 3 xi t + 2 z */
  tripleXiAddTwice: [
    [0, 3],
    [2, 0],
  ],
  /** a + b - c */
  addSub: [
    [1, 0],
    [1, 0],
    [-1, 0],
  ],
  subTwelve: [
    [1, 0],
    [-12, 0],
  ],
  timesMinusFour: [[-4, 0]],
  /** -a - b */
  minusBoth: [
    [-1, 0],
    [-1, 0],
  ],
}

export function defineTower(m: ModuleBuilder, prime: bigint): void {
  for (const [name, weights] of Object.entries(QUADRATIC_SUMS)) defineQuadraticSum(m, name, prime, weights)
  defineSextic(m)
  defineTowerProducts(m)
  defineCyclotomicSquare(m)
}

/** xi (r + iu) = (9 r - i) + (r + 9 i) u: each term with xi has both parts of its operand in both parts of the sum. */
function defineQuadraticSum(
  m: ModuleBuilder,
  name: string,
  prime: bigint,
  weights: readonly (readonly [number, number])[],
): void {
  const parts = ['Real', 'Imaginary'] as const
  const terms = (index: 0 | 1) =>
    weights.flatMap(([plain, xi], operand) => {
      const own = { operand, part: index, weight: plain + 9 * xi }
      const other = { operand, part: 1 - index, weight: index === 0 ? -xi : xi }
      return xi === 0 ? [own] : [own, other]
    })
  for (const index of [0, 1] as const) {
    defineSum(
      m,
      `fp2_${name}${parts[index]}`,
      prime,
      terms(index).map(({ weight }) => weight),
    )
  }
  m.define(`fp2_${name}`, 1 + weights.length, ({ params: [to, ...operands] }) =>
    ([0, 1] as const).map((index) =>
      m.call(
        `fp2_${name}${parts[index]}`,
        offset(to as Local, index * FIELD_BYTES),
        ...terms(index).map(({ operand, part }) => offset(operands[operand] as Local, part * FIELD_BYTES)),
      ),
    ),
  )
}

const offset = (pointer: Local, bytes: number): Code =>
  bytes === 0 ? pointer.get : i32.add(pointer.get, i32.const(bytes))

const coefficient = (pointer: Local, index: number): Code => offset(pointer, index * QUADRATIC_BYTES)

function scratches(m: ModuleBuilder, count: number, bytes: number): Code[] {
  return Array.from({ length: count }, () => i32.const(m.reserve(bytes)))
}

function defineSextic(m: ModuleBuilder): void {
  const op = (operation: string, ...args: Code[]) => m.call(`fp2_${operation}`, ...args)
  const three = [0, 1, 2] as const
  for (const [operation, operands] of [
    ['add', 2],
    ['sub', 2],
    ['addLazy', 2],
    ['subBoth', 3],
    ['double', 1],
    ['negate', 1],
  ] as const) {
    m.define(`fp6_${operation}`, 1 + operands, ({ params }) =>
      three.map((i) => op(operation, ...params.map((pointer) => coefficient(pointer, i)))),
    )
  }

  const [v0, v1, v2, t0, t1, t2, left, right] = scratches(m, 8, QUADRATIC_BYTES) as Eight
  /** Karatsuba: six products. Operands may be lazy sums of two. */
  m.define('fp6_mul', 3, ({ params }) => {
    const [to, a, b] = params as [Local, Local, Local]
    const cross = (t: Code, i: number, j: number): Code => [
      op('addRaw', left, coefficient(a, i), coefficient(a, j)),
      op('addRaw', right, coefficient(b, i), coefficient(b, j)),
      op('mul', t, left, right),
    ]
    return [
      [v0, v1, v2].map((v, i) => op('mul', v, coefficient(a, i), coefficient(b, i))),
      cross(t0, 1, 2),
      cross(t1, 0, 1),
      cross(t2, 0, 2),
      op('lowest', coefficient(to, 0), v0, t0, v1, v2),
      op('middle', coefficient(to, 1), t1, v0, v1, v2),
      op('highest', coefficient(to, 2), t2, v0, v2, v1),
    ]
  })

  /** a · (c0 + c1 v): five products. */
  m.define('fp6_mulByTwo', 4, ({ params }) => {
    const [to, a, c0, c1] = params as [Local, Local, Local, Local]
    return [
      op('mul', v0, coefficient(a, 0), c0.get),
      op('mul', v1, coefficient(a, 1), c1.get),
      op('addRaw', left, coefficient(a, 1), coefficient(a, 2)),
      op('mul', t0, left, c1.get),
      op('addRaw', left, coefficient(a, 0), coefficient(a, 1)),
      op('addRaw', right, c0.get, c1.get),
      op('mul', t1, left, right),
      op('addRaw', left, coefficient(a, 0), coefficient(a, 2)),
      op('mul', t2, left, c0.get),
      op('lowestOfTwo', coefficient(to, 0), v0, t0, v1),
      op('subBoth', coefficient(to, 1), t1, v0, v1),
      op('highestOfTwo', coefficient(to, 2), t2, v0, v1),
    ]
  })

  /** a · c for c in F_q^2. */
  m.define('fp6_mulByOne', 3, ({ params }) => {
    const [to, a, c] = params as [Local, Local, Local]
    return three.map((i) => op('mul', coefficient(to, i), coefficient(a, i), c.get))
  })

  /** a + v b */
  m.define('fp6_addShifted', 3, ({ params }) => {
    const [to, a, b] = params as [Local, Local, Local]
    return [
      op('addXi', coefficient(to, 0), coefficient(a, 0), coefficient(b, 2)),
      op('add', coefficient(to, 1), coefficient(a, 1), coefficient(b, 0)),
      op('add', coefficient(to, 2), coefficient(a, 2), coefficient(b, 1)),
    ]
  })
}

const half = (pointer: Local, index: 0 | 1): Code => offset(pointer, index * SEXTIC_BYTES)

function defineTowerProducts(m: ModuleBuilder): void {
  const op = (operation: string, ...args: Code[]) => m.call(`fp6_${operation}`, ...args)
  const [v0, v1, left, right] = scratches(m, 4, SEXTIC_BYTES) as [Code, Code, Code, Code]

  m.define('fp12_mul', 3, ({ params }) => {
    const [to, a, b] = params as [Local, Local, Local]
    return [
      op('mul', v0, half(a, 0), half(b, 0)),
      op('mul', v1, half(a, 1), half(b, 1)),
      op('addLazy', left, half(a, 0), half(a, 1)),
      op('addLazy', right, half(b, 0), half(b, 1)),
      op('mul', left, left, right),
      op('subBoth', half(to, 1), left, v0, v1),
      op('addShifted', half(to, 0), v0, v1),
    ]
  })

  /** (a + bw)² = (a + b)(a + vb) - ab - v ab + 2ab w */
  m.define('fp12_sqr', 2, ({ params }) => {
    const [to, a] = params as [Local, Local]
    const at = (base: Code, i: number) => i32.add(base, i32.const(i * QUADRATIC_BYTES))
    return [
      op('mul', v0, half(a, 0), half(a, 1)),
      op('addLazy', left, half(a, 0), half(a, 1)),
      op('addShifted', right, half(a, 0), half(a, 1)),
      op('mul', v1, left, right),
      m.call('fp2_subSubXi', half(to, 0), v1, v0, at(v0, 2)),
      m.call('fp2_subBoth', coefficient(to, 1), at(v1, 1), at(v0, 1), v0),
      m.call('fp2_subBoth', coefficient(to, 2), at(v1, 2), at(v0, 2), at(v0, 1)),
      op('double', half(to, 1), v0),
    ]
  })

  /** a · (l0 + l3 w + l4 v w), the shape of a line: thirteen products in F_q^2. */
  m.define('fp12_mulByLine', 4, ({ params }) => {
    const [a, l0, l3, l4] = params as [Local, Local, Local, Local]
    return [
      op('mulByOne', v0, half(a, 0), l0.get),
      op('mulByTwo', v1, half(a, 1), l3.get, l4.get),
      op('addLazy', left, half(a, 0), half(a, 1)),
      m.call('fp2_add', right, l0.get, l3.get),
      op('mulByTwo', left, left, right, l4.get),
      op('subBoth', half(a, 1), left, v0, v1),
      op('addShifted', half(a, 0), v0, v1),
    ]
  })

  m.define('fp12_conjugate', 2, ({ params }) => {
    const [to, from] = params as [Local, Local]
    return [0, 1, 2].map((i) => [
      m.call('fp2_copy', coefficient(to, i), coefficient(from, i)),
      m.call('fp2_negate', coefficient(to, i + 3), coefficient(from, i + 3)),
    ])
  })
}

/**
 * Granger and Scott's square for elements of the cyclotomic subgroup, where every pairing value is: three squares in
 * F_q^4. `to` is not `from`.
 */
function defineCyclotomicSquare(m: ModuleBuilder): void {
  const op = (operation: string, ...args: Code[]) => m.call(`fp2_${operation}`, ...args)
  const [product, real, twice, left, right] = scratches(m, 5, QUADRATIC_BYTES) as Eight

  m.define('fp12_sqrCyclotomic', 2, ({ params }) => {
    const [to, from] = params as [Local, Local]
    /** (z + z' y)² over y² = xi: real part, and twice the product. */
    const square = (i: number, j: number): Code => {
      const [z, other] = [coefficient(from, i), coefficient(from, j)]
      return [
        op('mul', product, z, other),
        op('addRaw', left, z, other),
        op('addXi', right, z, other),
        op('mul', left, left, right),
        op('subBothXi', real, left, product),
        op('double', twice, product),
      ]
    }
    const set = (operation: string, index: number, t: Code) =>
      op(operation, coefficient(to, index), t, coefficient(from, index))
    return [
      square(0, 4),
      set('tripleSubTwice', 0, real),
      set('tripleAddTwice', 4, twice),
      square(3, 2),
      set('tripleSubTwice', 1, real),
      set('tripleAddTwice', 5, twice),
      square(1, 5),
      set('tripleSubTwice', 2, real),
      set('tripleXiAddTwice', 3, twice),
    ]
  })
}

type Eight = [Code, Code, Code, Code, Code, Code, Code, Code]
