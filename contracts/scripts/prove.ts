/**
 * Proofs: `node contracts/scripts/prove.ts` lets the solver that is inside the compiler prove every assertion of the
 * models in `contracts/formal`, prints each, and exits 1 if one is not proved. It then seeds the faults of
 * {@link FAULTS}, one by one and in memory, and exits 1 if the solver does not refute one: a proof that nothing can
 * break proves nothing.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const CONTRACTS = join(import.meta.dirname, '..')

/** The models, by contract name; `formal/NAME.sol` holds it. */
export const MODELS = ['ShareModel', 'ChannelModel', 'StakeModel'] as const

export type Model = (typeof MODELS)[number]

/** A line of a source, replaced. */
export type Fault = {
  readonly model: Model
  readonly file: string
  readonly from: string
  readonly to: string
}

const channel = (from: string, to: string): Fault => ({
  model: 'ChannelModel',
  file: 'formal/ChannelModel.sol',
  from,
  to,
})
const stake = (from: string, to: string): Fault => ({
  model: 'StakeModel',
  file: 'formal/StakeModel.sol',
  from,
  to,
})
const share = (from: string, to: string): Fault => ({
  model: 'ShareModel',
  file: 'libraries/Burn.sol',
  from,
  to,
})

/** Slips that each would cost somebody money. */
export const FAULTS: readonly Fault[] = [
  channel('total > _settled && total <= _deposit', 'total > _settled'),
  channel(' && block.timestamp >= _closeAt', ''),
  channel('_status == Status.Open || _status == Status.Closing', '_status != Status.None'),
  channel('_refunded += _deposit - _settled', '_refunded += _deposit'),
  stake(' && _locks == 0);', ');'),
  stake(' && block.timestamp >= _exitAt', ''),
  stake('_rewarded += reward', '_rewarded += slashed'),
  share('amount * bps + WHOLE_BPS - 1', 'amount * bps'),
  share('return (amount * bps) / WHOLE_BPS', 'return (amount * bps) / 10'),
]

export type Outcome = {
  /** Assertions that hold, as `file:line: text`. */
  readonly proven: readonly string[]
  /** Assertions for which the solver found numbers that break them. */
  readonly refuted: readonly string[]
  /** Whatever else kept an assertion from being proved. */
  readonly faults: readonly string[]
}

type Diagnostic = {
  readonly errorCode?: string
  readonly severity: string
  readonly message: string
  readonly sourceLocation?: { readonly file: string; readonly start: number; readonly end: number }
}

type Compiler = {
  compile(
    input: string,
    callbacks: { import(path: string): { contents: string } | { error: string } },
  ): string
}

/** Messages of the compiler, by code. */
const PROVEN = '2961'
const REFUTED = '4661'
const ENGINE_IS_DEPRECATED = '3993'

/**
 * Bounded model checking takes each function from any state at all, which with the models' `step` is a proof by
 * induction and a matter of seconds. The engine of Horn clauses would have to find the induction by itself, and does
 * not in minutes. No time limit is set: with one, the compiler's WebAssembly build dies.
 */
const MODEL_CHECKER = {
  engine: 'bmc',
  solvers: ['z3'],
  targets: ['assert'],
  showProvedSafe: true,
  showUnproved: true,
}

/** Proves one model, with a fault seeded if one is given. */
export function prove(model: Model, fault?: Fault): Outcome {
  const compiler = createRequire(import.meta.url)('solc') as Compiler
  const read = (path: string): string => {
    const text = readFileSync(join(CONTRACTS, path), 'utf8')
    if (fault?.file !== path) return text
    if (text.split(fault.from).length !== 2) throw new RangeError(`${path} does not hold once: ${fault.from}`)
    return text.replace(fault.from, fault.to)
  }
  const path = `formal/${model}.sol`
  const content = read(path)
  const input = {
    language: 'Solidity',
    sources: { [path]: { content } },
    settings: {
      outputSelection: {},
      modelChecker: { ...MODEL_CHECKER, contracts: { [path]: [model] } },
    },
  }
  const output = compiler.compile(JSON.stringify(input), { import: (name) => ({ contents: read(name) }) })
  const { errors = [] } = JSON.parse(output) as { errors?: Diagnostic[] }
  return judge(path, content, errors)
}

function judge(path: string, content: string, diagnostics: readonly Diagnostic[]): Outcome {
  const places = (code: string) =>
    diagnostics.flatMap(({ errorCode, sourceLocation: at }) =>
      errorCode === code && at?.file === path ? [describe(path, content, at)] : [],
    )
  const proven = places(PROVEN)
  const refuted = places(REFUTED)
  const faults = diagnostics
    .filter(({ errorCode }) => ![PROVEN, REFUTED, ENGINE_IS_DEPRECATED].includes(errorCode ?? ''))
    .map(({ severity, message }) => `${severity}: ${message}`)
  // The solver says nothing at all of an assertion that it did not get to.
  const written = content.match(/\bassert\(/g)?.length ?? 0
  const judged = new Set([...proven, ...refuted]).size
  if (judged < written) faults.push(`${path}: ${written - judged} of ${written} assertions without a verdict`)
  return { proven, refuted, faults }
}

function describe(path: string, content: string, { start, end }: { start: number; end: number }): string {
  return `${path}:${content.slice(0, start).split('\n').length}: ${content.slice(start, end)}`
}

const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`

function main(): number {
  let failed = 0
  for (const model of MODELS) {
    const since = performance.now()
    const { proven, refuted, faults } = prove(model)
    for (const assertion of proven) console.log(`proved   ${assertion}`)
    for (const assertion of refuted) console.error(`REFUTED  ${assertion}`)
    for (const fault of faults) console.error(`UNPROVED ${fault}`)
    console.log(`${model}: ${proven.length} proved in ${seconds(since)}\n`)
    failed += refuted.length + faults.length
  }
  for (const fault of FAULTS) {
    const since = performance.now()
    const { refuted } = prove(fault.model, fault)
    const verdict = refuted.length > 0 ? `refutes  ${refuted[0]}` : 'MISSES'
    console.log(
      `${verdict}\n         if ${fault.file} said "${fault.to}" for "${fault.from}" (${seconds(since)})`,
    )
    if (refuted.length === 0) failed += 1
  }
  return failed === 0 ? 0 : 1
}

if (import.meta.main) process.exitCode = main()
