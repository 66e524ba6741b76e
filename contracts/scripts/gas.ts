/**
 * Gas snapshot: `node contracts/scripts/gas.ts` measures every call and writes `contracts/snapshots/gas.json`; with
 * `--check` it writes nothing and exits 1 when a number differs from the snapshot or exceeds its target.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type GasReport, measureGas } from './gas/measure.ts'

export { type GasReport, measureGas } from './gas/measure.ts'

const SNAPSHOT = join(import.meta.dirname, '..', 'snapshots', 'gas.json')

/** What the design promises, gas per transaction (per item for batches). */
export const GAS_TARGETS: Readonly<Record<string, number>> = {
  open: 72_000,
  top_up: 47_000,
  settle: 56_000,
  settle_many_100_each: 16_500,
  rln_register: 110_000,
}

/** What is wrong with a report, one line each; empty if nothing is. */
export function compareGas(report: GasReport, snapshot: GasReport): string[] {
  const names = [...new Set([...Object.keys(report), ...Object.keys(snapshot)])]
  const changed = names
    .filter((name) => report[name] !== snapshot[name])
    .map((name) => `${name}: snapshot ${snapshot[name] ?? 'missing'}, measured ${report[name] ?? 'missing'}`)
  const above = Object.entries(GAS_TARGETS)
    .filter(([name, target]) => (report[name] ?? Number.POSITIVE_INFINITY) > target)
    .map(([name, target]) => `${name}: measured ${report[name]}, target ${target}`)
  return [...changed, ...above]
}

/** The committed snapshot. */
export async function readGasSnapshot(): Promise<GasReport> {
  return JSON.parse(await readFile(SNAPSHOT, 'utf8')) as GasReport
}

async function main(check: boolean): Promise<number> {
  const report = await measureGas()
  if (!check) {
    await writeFile(SNAPSHOT, `${JSON.stringify(report, null, 2)}\n`)
    console.log(JSON.stringify(report, null, 2))
    return 0
  }
  const faults = compareGas(report, await readGasSnapshot())
  for (const fault of faults) console.error(fault)
  return faults.length === 0 ? 0 : 1
}

if (import.meta.main) process.exitCode = await main(process.argv.includes('--check'))
