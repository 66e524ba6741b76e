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
declare module 'snarkjs' {
  type Curve = { terminate(): Promise<void> }
  type ProofJson = { pi_a: string[]; pi_b: string[][]; pi_c: string[]; protocol?: string; curve?: string }
  type Bytes = Uint8Array | { type: 'mem'; data?: Uint8Array }
  export const curves: {
    getCurveFromName(name: string, options?: { singleThread?: boolean }): Promise<Curve>
  }
  export const groth16: {
    prove(
      zkey: Uint8Array | string,
      witness: Uint8Array,
      logger?: undefined,
      options?: { singleThread?: boolean },
    ): Promise<{ proof: ProofJson; publicSignals: string[] }>
    fullProve(
      inputs: Record<string, unknown>,
      wasm: Uint8Array | string,
      zkey: Uint8Array | string,
      logger?: undefined,
      witnessOptions?: object,
      options?: { singleThread?: boolean },
    ): Promise<{ proof: ProofJson; publicSignals: string[] }>
    verify(key: unknown, signals: readonly (string | bigint)[], proof: ProofJson): Promise<boolean>
  }
  export const powersOfTau: {
    newAccumulator(curve: Curve, power: number, to: string): Promise<unknown>
    beacon(from: string, to: string, name: string, hex: string, iterationsExp: number): Promise<unknown>
    preparePhase2(from: string, to: string): Promise<unknown>
  }
  export const zKey: {
    newZKey(r1cs: string, ptau: string, to: string): Promise<unknown>
    beacon(from: string, to: string, name: string, hex: string, iterationsExp: number): Promise<unknown>
    exportVerificationKey(zkey: string): Promise<Record<string, unknown>>
    verifyFromR1cs(r1cs: string, ptau: string, zkey: string): Promise<boolean>
  }
}
