/**
 * WebAssembly made at run time: a small assembler, and what it makes put to work at once. Arithmetic that JavaScript is
 * slow at is generated, unrolled for its prime, rather than committed as a binary, so that what runs is what can be
 * read.
 *
 * @module
 */
export {
  block,
  type Code,
  createModuleBuilder,
  type FunctionBuilder,
  I32,
  I64,
  i32,
  i64,
  type Local,
  type ModuleBuilder,
  type ValueType,
  v128,
} from './assembler.ts'
export { instantiate, type WasmFunctions } from './instance.ts'
