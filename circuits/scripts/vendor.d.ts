// The parts of the untyped set-up tools that the build uses.

declare module 'circom2' {
  export class CircomRunner {
    constructor(options: {
      args: string[]
      env: Record<string, string>
      preopens: Record<string, string>
      bindings: object
    })
    execute(wasm: Uint8Array): Promise<unknown>
  }
  export const bindings: object
}
