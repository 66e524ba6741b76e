import { describe, expect, it } from 'vitest'
import { moneyProblems } from './money.ts'

const problems = (source: string) => moneyProblems('node/payments/x.ts', source)

describe('the check that no float touches money', () => {
  it.each([
    'const paid = Number(record.paid)',
    'const half = Number (deposit) / 2',
    'parseFloat(text)',
    'Number.parseInt(text, 10)',
    'const fee = Math.round(total * share)',
    'const share = 0.01',
    'const post = 1e18',
    'amount.toFixed(2)',
    'type Channel = { deposit: number }',
    'function pay(totalAmount: number): void {}',
    'type Options = { unpaidLimit?: number }',
  ])('finds %s', (line) => {
    expect(problems(line)).toHaveLength(1)
  })

  it.each([
    'const paid: bigint = record.paid + 10n ** 18n',
    '// Number(amount) would round',
    '/** 1.5 POST */',
    "const text = 'Number(amount)'",
    'type Batch = { ticks: number; closeAt: number }',
    'const part = values[0]',
  ])('lets pass %s', (line) => {
    expect(problems(line)).toEqual([])
  })

  it('names file and line', () => {
    expect(problems('\n/* a\n b */ const x = Number(y)')).toEqual(['node/payments/x.ts:3: Number('])
  })
})
