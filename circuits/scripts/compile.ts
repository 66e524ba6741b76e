// Compiles the circuit with the WebAssembly build of circom, in this process.
import * as fs from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { bindings, CircomRunner } from 'circom2'

const require = createRequire(import.meta.url)

export type Parameters = { treeDepth: number; limitBits: number; optimization: string; powersOfTau: number }
export type Compiled = { r1cs: Uint8Array; wasm: Uint8Array }

export const CIRCUITS_DIR = dirname(import.meta.dirname)

export async function readParameters(): Promise<Parameters> {
  return JSON.parse(await readFile(join(CIRCUITS_DIR, 'params.json'), 'utf8')) as Parameters
}

/** The only line of circom that depends on the parameters: which template, which sizes, which inputs are public. */
function mainComponent({ treeDepth, limitBits }: Parameters): string {
  return [
    'pragma circom 2.1.0;',
    'include "rln.circom";',
    `component main {public [x, externalNullifier]} = RLN(${treeDepth}, ${limitBits});`,
    '',
  ].join('\n')
}

// circom reports on stdout, which belongs to our caller. Its errors go to stderr and pass.
const writeUnlessStdout = (fd: number, data: Uint8Array, from = 0, length = data.byteLength, at?: number) =>
  fd === 1 ? length : fs.writeSync(fd, data, from, length, at)

/** Same input, same bytes: circom writes no paths, dates or random names into its output. */
export async function compile(parameters: Parameters): Promise<Compiled> {
  const out = await mkdtemp(join(tmpdir(), 'postrider-circuit-'))
  try {
    await writeFile(join(out, 'main.circom'), mainComponent(parameters))
    const circom = new CircomRunner({
      args: [
        ...['out/main.circom', '--r1cs', '--wasm', `--${parameters.optimization}`],
        ...['-o', 'out', '-l', 'circuits', '-l', 'circomlib'],
      ],
      env: {},
      preopens: {
        out,
        circuits: CIRCUITS_DIR,
        circomlib: dirname(require.resolve('circomlib/circuits/poseidon.circom')),
      },
      bindings: { ...bindings, fs: { ...fs, writeSync: writeUnlessStdout } },
    })
    await circom.execute(await readFile(require.resolve('circom2/circom.wasm')))
    return {
      r1cs: await readFile(join(out, 'main.r1cs')),
      wasm: await readFile(join(out, 'main_js', 'main.wasm')),
    }
  } finally {
    await rm(out, { recursive: true, force: true })
  }
}
