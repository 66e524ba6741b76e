/** The part of WebAssembly's interface that is used; TypeScript has it only in the DOM's library. */
type WebAssemblyApi = {
  Module: new (code: Uint8Array) => object
  Instance: new (module: object, imports: object) => { exports: Record<string, unknown> }
  Memory: new (size: { initial: number }) => { buffer: ArrayBuffer }
}

/** WebAssembly's unit of memory, bytes. */
const PAGE_BYTES = 65_536

/** What a module exports: functions over addresses and other 32-bit integers. */
export type WasmFunctions = Record<string, (...args: number[]) => number>

/**
 * Compiles a module that imports its memory as env.memory, at once.
 *
 * @param memoryBytes at least as much memory
 * @returns undefined where the platform has no WebAssembly, or does not allow code that is made at run time: under a
 *   content security policy without 'wasm-unsafe-eval', or on the main thread of old browsers, which compile no more
 *   than 4 KiB there
 */
export function instantiate(
  code: Uint8Array,
  memoryBytes: number,
): { functions: WasmFunctions; memory: ArrayBuffer } | undefined {
  const { WebAssembly: api } = globalThis as { WebAssembly?: WebAssemblyApi }
  if (api === undefined) return undefined
  try {
    const memory = new api.Memory({ initial: Math.ceil(memoryBytes / PAGE_BYTES) })
    const { exports } = new api.Instance(new api.Module(code), { env: { memory } })
    return { functions: exports as WasmFunctions, memory: memory.buffer }
  } catch {
    return undefined
  }
}
