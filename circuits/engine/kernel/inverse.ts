// Inversion by Fermat's little theorem: the exponent p - 2 is public, so plain square-and-multiply does.
import { block, type Code, I32, i32, type Local, type ModuleBuilder } from '@postrider/protocol/wasm'
import { FIELD_BYTES } from './prime-field.ts'

/** Defines `name_inverse(to, from)`; the inverse of 0 is 0. Some 380 products. */
export function defineInverse(m: ModuleBuilder, name: string, prime: bigint): void {
  const op = (operation: string, ...args: Code[]) => m.call(`${name}_${operation}`, ...args)
  const [base, result] = [i32.const(m.reserve(FIELD_BYTES)), i32.const(m.reserve(FIELD_BYTES))]
  // Bits after the leading one, highest first, in words that a loop shifts through.
  const bits = (prime - 2n).toString(2).slice(1)
  const words = bits.match(/.{1,32}/g) ?? []

  m.define(`${name}_inverse`, 2, (f) => {
    const [to, from] = f.params as [Local, Local]
    const [word, left] = [f.local(I32), f.local(I32)]
    const bitLoop = block.doWhile(
      [
        op('sqr', result, result),
        block.if(i32.shrU(word.get, i32.const(31)), op('mul', result, result, base)),
        word.set(i32.shl(word.get, i32.const(1))),
      ],
      left.tee(i32.sub(left.get, i32.const(1))),
    )
    return [
      op('copy', base, from.get),
      op('copy', result, from.get),
      words.map((text): Code => {
        const value = Number.parseInt(text.padEnd(32, '0'), 2)
        return [word.set(i32.const(value)), left.set(i32.const(text.length)), bitLoop]
      }),
      op('copy', to.get, result),
    ]
  })
}

/** 1 / (a + bu) = (a - bu) / (a² + b²). */
export function defineQuadraticInverse(m: ModuleBuilder, name: string, base: string): void {
  const op = (operation: string, ...args: Code[]) => m.call(`${base}_${operation}`, ...args)
  const [norm, square] = [i32.const(m.reserve(FIELD_BYTES)), i32.const(m.reserve(FIELD_BYTES))]
  m.define(`${name}_inverse`, 2, ({ params }) => {
    const [to, from] = params as [Local, Local]
    const imaginary = (pointer: Local) => i32.add(pointer.get, i32.const(FIELD_BYTES))
    return [
      op('sqr', norm, from.get),
      op('sqr', square, imaginary(from)),
      op('add', norm, norm, square),
      op('inverse', norm, norm),
      op('mul', to.get, from.get, norm),
      op('mul', imaginary(to), imaginary(from), norm),
      op('negate', imaginary(to), imaginary(to)),
    ]
  })
}
