// Collects the points of a multi-scalar product in bucket order.
import { block, type Code, I32, i32, type Local, type ModuleBuilder } from '@postrider/protocol/wasm'
import type { Shape } from './curve.ts'
import { FIELD_BYTES } from './prime-field.ts'

/** Flags in the low bits of a base's address, which is a multiple of four. */
export const NEGATE = 1
/** Take the image under the curve's endomorphism. */
export const ENDOMORPHISM = 2

/** Bytes of a base: x, y, and beta · x for the endomorphism (x, y) → (beta x, y). */
export const baseBytes = (size: number): number => 3 * size

/** Defines `name_gather(to, list, end)`: the list holds addresses of bases with their flags. */
export function defineGather(m: ModuleBuilder, { name, field, size }: Shape): void {
  const op = (operation: string, ...args: Code[]) => m.call(`${field}_${operation}`, ...args)
  m.define(`${name}_gather`, 3, (f) => {
    const [to, list, end] = f.params as [Local, Local, Local]
    const [entry, base] = [f.local(I32), f.local(I32)]
    const has = (flag: number) => i32.and(entry.get, i32.const(flag))
    const baseY = i32.add(base.get, i32.const(size))
    const toY = i32.add(to.get, i32.const(size))
    return block.doWhile(
      [
        entry.set(i32.load(list.get, 0)),
        base.set(i32.and(entry.get, i32.const(~3))),
        block.if(
          has(ENDOMORPHISM),
          op('copy', to.get, i32.add(base.get, i32.const(2 * size))),
          op('copy', to.get, base.get),
        ),
        block.if(has(NEGATE), op('negate', toY, baseY), op('copy', toY, baseY)),
        to.set(i32.add(to.get, i32.const(2 * size))),
        list.set(i32.add(list.get, i32.const(4))),
      ],
      i32.ltU(list.get, end.get),
    )
  })
}

/**
 * Defines `name_importBases(to, from, factor, beta, end)`: affine points of 32-byte numbers become bases. Each number
 * is multiplied by `factor`, which takes it into the kernel's Montgomery form.
 */
export function defineImportBases(m: ModuleBuilder, { name, size }: Shape): void {
  const parts = size / FIELD_BYTES
  m.define(`${name}_importBases`, 5, ({ params }) => {
    const [to, from, factor, beta, end] = params as [Local, Local, Local, Local, Local]
    const at = (part: number) => i32.add(to.get, i32.const(part * FIELD_BYTES))
    const range = (count: number) => Array.from({ length: count }, (_, part) => part)
    return block.doWhile(
      [
        range(2 * parts).map(
          (part): Code => [
            m.call('fp_fromBytes', at(part), i32.add(from.get, i32.const(32 * part))),
            m.call('fp_mul', at(part), at(part), factor.get),
          ],
        ),
        range(parts).map((part) => m.call('fp_mul', at(2 * parts + part), at(part), beta.get)),
        from.set(i32.add(from.get, i32.const(64 * parts))),
        to.set(i32.add(to.get, i32.const(baseBytes(size)))),
      ],
      i32.ltU(to.get, end.get),
    )
  })
}
