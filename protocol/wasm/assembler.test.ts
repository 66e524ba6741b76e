import { describe, expect, it } from 'vitest'
import { fc } from '../testing/fc.ts'
import { block, type Code, createModuleBuilder, I32, i32, i64, instantiate, type Local } from './index.ts'

const run = (body: (a: Local, b: Local) => Code) => {
  const m = createModuleBuilder()
  m.define('run', 2, ({ params }) => body(params[0] as Local, params[1] as Local), true)
  const { functions } = instantiate(m.bytes(), m.end()) ?? {}
  return (a: number, b = 0) => functions?.run?.(a, b)
}

describe('assembler', () => {
  it('encodes constants of every length', () => {
    for (const value of [0, 1, 63, 64, -64, -65, 8191, 8192, 2 ** 31 - 1, -(2 ** 31)]) {
      expect(run(() => i32.const(value))(0)).toBe(value)
    }
    for (const value of [0n, 63n, 64n, -1n, 2n ** 62n, 2n ** 63n - 1n, -(2n ** 63n)]) {
      const high = run(() => i64.toI32(i64.shrU(i64.const(value), i64.const(32))))(0)
      expect(BigInt(high ?? 0)).toBe(BigInt.asIntN(32, value >> 32n))
    }
  })

  it('loops, branches and calls', () => {
    const m = createModuleBuilder()
    m.define('double', 1, ({ params: [a] }) => i32.add((a as Local).get, (a as Local).get), true)
    m.define(
      'collatz',
      1,
      (f) => {
        const [n, steps] = [f.params[0] as Local, f.local(I32)]
        const odd = i32.add(i32.add(m.call('double', n.get), n.get), i32.const(1))
        return [
          block.doWhile(
            [
              block.if(i32.and(n.get, i32.const(1)), n.set(odd), n.set(i32.shrU(n.get, i32.const(1)))),
              steps.set(i32.add(steps.get, i32.const(1))),
            ],
            i32.gtU(n.get, i32.const(1)),
          ),
          steps.get,
        ]
      },
      true,
    )
    expect(instantiate(m.bytes(), m.end())?.functions.collatz?.(27)).toBe(111)
    expect(() => m.call('missing')).toThrow(RangeError)
  })

  it('loads and stores at an offset', () => {
    const m = createModuleBuilder()
    const at = i32.const(m.reserve(16))
    m.define(
      'swap',
      1,
      ({ params: [a] }) => [i64.store(at, 8, i64.fromI32((a as Local).get)), i32.load(at, 8)],
      true,
    )
    fc.assert(
      fc.property(fc.integer(), (value) => {
        expect(instantiate(m.bytes(), m.end())?.functions.swap?.(value)).toBe(value)
      }),
      { numRuns: 10 },
    )
  })
})
