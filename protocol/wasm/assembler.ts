/**
 * A small assembler for WebAssembly. Arithmetic that JavaScript is slow at is generated at start, unrolled for its
 * prime; generated rather than committed as a binary, so that what runs is what can be read.
 *
 * @module
 */

/** Instructions as bytes; nested as it comes, flattened once. */
export type Code = readonly (number | Code)[]

export const I32 = 0x7f
export const I64 = 0x7e
export type ValueType = typeof I32 | typeof I64

/** Unsigned LEB128. */
function unsigned(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  do {
    const low = rest & 0x7f
    rest >>>= 7
    bytes.push(rest === 0 ? low : low | 0x80)
  } while (rest !== 0)
  return bytes
}

/** Signed LEB128. */
function signed(value: bigint): number[] {
  const bytes: number[] = []
  let rest = value
  for (;;) {
    const low = Number(rest & 0x7fn)
    rest >>= 7n
    const last = (rest === 0n && (low & 0x40) === 0) || (rest === -1n && (low & 0x40) !== 0)
    bytes.push(last ? low : low | 0x80)
    if (last) return bytes
  }
}

const memory =
  (opcode: number) =>
  (address: Code, offset: number): Code => [address, opcode, 0, unsigned(offset)]
const memoryWrite =
  (opcode: number) =>
  (address: Code, offset: number, value: Code): Code => [address, value, opcode, 0, unsigned(offset)]
const binary =
  (opcode: number) =>
  (left: Code, right: Code): Code => [left, right, opcode]

export const i32 = {
  const: (value: number): Code => [0x41, signed(BigInt(value | 0))],
  load: memory(0x28),
  store: memoryWrite(0x36),
  add: binary(0x6a),
  sub: binary(0x6b),
  mul: binary(0x6c),
  and: binary(0x71),
  or: binary(0x72),
  shl: binary(0x74),
  shrU: binary(0x76),
  eqz: (value: Code): Code => [value, 0x45],
  eq: binary(0x46),
  ltU: binary(0x49),
  gtU: binary(0x4b),
} as const

export const i64 = {
  const: (value: bigint | number): Code => [0x42, signed(BigInt(value))],
  load: memory(0x29),
  load32S: memory(0x34),
  load32U: memory(0x35),
  store: memoryWrite(0x37),
  store32: memoryWrite(0x3e),
  add: binary(0x7c),
  sub: binary(0x7d),
  mul: binary(0x7e),
  and: binary(0x83),
  or: binary(0x84),
  xor: binary(0x85),
  shl: binary(0x86),
  shrS: binary(0x87),
  shrU: binary(0x88),
  eqz: (value: Code): Code => [value, 0x50],
  fromI32: (value: Code): Code => [value, 0xad],
  toI32: (value: Code): Code => [value, 0xa7],
} as const

const vectorOpcode = (opcode: number): number[] => [0xfd, ...unsigned(opcode)]
const vectorBinary =
  (opcode: number) =>
  (left: Code, right: Code): Code => [left, right, vectorOpcode(opcode)]

/** Four 32-bit words at a time. */
export const v128 = {
  load: (address: Code, offset: number): Code => [address, vectorOpcode(0x00), 0, unsigned(offset)],
  store: (address: Code, offset: number, value: Code): Code => [
    address,
    value,
    vectorOpcode(0x0b),
    0,
    unsigned(offset),
  ],
  addI32: vectorBinary(0xae),
  subI32: vectorBinary(0xb1),
} as const

/** A parameter or local of a function. */
export type Local = { readonly get: Code; set(value: Code): Code; tee(value: Code): Code }

export type FunctionBuilder = {
  readonly params: readonly Local[]
  local(type: ValueType): Local
}

export const block = {
  /** Runs `then` when the i32 is not zero. */
  if: (condition: Code, then: Code, otherwise: Code = []): Code => [
    condition,
    0x04,
    0x40,
    then,
    otherwise.length > 0 ? [0x05, otherwise] : [],
    0x0b,
  ],
  /** Runs the body until the condition, looked at afterwards, is zero. */
  doWhile: (body: Code, condition: Code): Code => [0x03, 0x40, body, condition, 0x0d, 0, 0x0b],
  return: [0x0f] as Code,
} as const

export interface ModuleBuilder {
  /** Defines and exports a function over i32 parameters. `returns` makes it leave one i32. */
  define(name: string, parameters: number, body: (f: FunctionBuilder) => Code, returns?: boolean): void
  /** A call of a function that is already defined. */
  call(name: string, ...args: readonly Code[]): Code
  /** Reserves memory that the module's functions use among themselves. */
  reserve(bytes: number): number
  /** First address that nothing has reserved. */
  end(): number
  bytes(): Uint8Array
}

const section = (id: number, content: Code): Code => {
  const bytes = flatten(content)
  return [id, unsigned(bytes.length), bytes]
}
const vector = (items: readonly Code[]): Code => [unsigned(items.length), items]
/** A name in ASCII. */
const text = (name: string): Code => [unsigned(name.length), [...name].map((char) => char.charCodeAt(0))]

/** A module that imports one memory as env.memory. */
export function createModuleBuilder(): ModuleBuilder {
  const functions: { name: string; type: Code; code: Code }[] = []
  const indexes = new Map<string, number>()
  // Address 0 stays unused, so that a forgotten pointer does not hit anything.
  let end = 64

  return {
    define(name, parameters, body, returns = false) {
      const types: ValueType[] = []
      const at = (index: number): Local => ({
        get: [0x20, unsigned(index)],
        set: (value) => [value, 0x21, unsigned(index)],
        tee: (value) => [value, 0x22, unsigned(index)],
      })
      const local = (type: ValueType) => at(parameters + types.push(type) - 1)
      const code = body({ params: Array.from({ length: parameters }, (_, i) => at(i)), local })
      const locals = vector(types.map((type) => [1, type]))
      const bytes = flatten([locals, code, 0x0b])
      indexes.set(name, functions.length)
      functions.push({
        name,
        type: [0x60, vector(new Array(parameters).fill([I32])), returns ? [1, I32] : [0]],
        code: [unsigned(bytes.length), bytes],
      })
    },
    call(name, ...args) {
      const index = indexes.get(name)
      if (index === undefined) throw new RangeError(`the module has no function ${name}`)
      return [args, 0x10, unsigned(index)]
    },
    reserve(bytes) {
      const at = end
      end = (end + bytes + 7) & ~7
      return at
    },
    end: () => end,
    bytes() {
      const header = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]
      return Uint8Array.from(
        flatten([
          header,
          section(1, vector(functions.map(({ type }) => type))),
          section(2, vector([[text('env'), text('memory'), 2, 0, 1]])),
          section(3, vector(functions.map((_, index) => unsigned(index)))),
          section(7, vector(functions.map(({ name }, index) => [text(name), 0, unsigned(index)]))),
          section(10, vector(functions.map(({ code }) => code))),
        ]),
      )
    },
  }
}

function flatten(code: Code, into: number[] = []): number[] {
  for (const item of code) {
    if (typeof item === 'number') into.push(item)
    else flatten(item, into)
  }
  return into
}
