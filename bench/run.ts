// npm run bench -- NAME [--json]
//
// Each benchmark is a module of this folder that compares ours with a peer in the same run. It prints a table for
// people; with --json the last line of stdout is one JSON object. The exit code is 1 if a figure misses its bound.
import { readdir } from 'node:fs/promises'
import { cpus } from 'node:os'
import type { Benchmark } from './types.ts'

const NOT_BENCHMARKS = ['run.ts', 'types.ts', 'measure.ts', 'bounds.ts']

async function names(): Promise<string[]> {
  const files = await readdir(import.meta.dirname)
  return files
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !NOT_BENCHMARKS.includes(file))
    .map((file) => file.slice(0, -3))
    .sort()
}

async function main(args: readonly string[]): Promise<number> {
  const [name] = args.filter((arg) => !arg.startsWith('--'))
  const known = await names()
  if (name === undefined || !known.includes(name)) {
    console.error(`usage: npm run bench -- NAME [--json]\nbenchmarks: ${known.join(', ')}`)
    return 2
  }
  const { title, run } = (await import(`./${name}.ts`)) as Benchmark
  console.error(
    `${title} (Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'})`,
  )
  const { rows, result, missed = [] } = await run()
  console.table(rows)
  for (const sentence of missed) console.error(`missed: ${sentence}`)
  if (args.includes('--json')) console.log(JSON.stringify(result))
  return missed.length === 0 ? 0 : 1
}

process.exitCode = await main(process.argv.slice(2))
