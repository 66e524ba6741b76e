// What each call to the contracts costs, against what the design promises; whole transactions on a chain in process.
import { GAS_TARGETS, measureGas } from '@postrider/contracts/gas'
import type { Outcome } from './types.ts'

export const title = 'Gas of the contracts against their targets: warm balances, allowance set'

const CALLS = [
  'open',
  'top_up',
  'settle',
  'settle_many_100_each',
  'close',
  'request_close',
  'withdraw',
  'rln_register',
  'rln_slash_commit',
  'rln_slash_reveal',
  'stake_register',
] as const

export async function run(): Promise<Outcome> {
  const report = await measureGas()
  const measured = CALLS.map((call) => ({ call, gas: report[call] ?? Number.NaN, target: GAS_TARGETS[call] }))
  return {
    rows: measured.map(({ call, gas, target }) => ({
      call,
      gas,
      target: target ?? '-',
      within: target === undefined ? '-' : gas <= target ? 'yes' : 'NO',
    })),
    result: Object.fromEntries(measured.map(({ call, gas }) => [call, gas])),
  }
}
