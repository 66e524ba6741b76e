import { expect, test } from 'vitest'
import { csvHeading, csvRow } from './index.ts'

test('CSV quotes what needs it and disarms formulas', () => {
  const columns = [
    { name: 'text, with comma', cell: (row: { text: string | null; amount: bigint }) => row.text },
    { name: 'amount', cell: (row: { text: string | null; amount: bigint }) => row.amount },
  ]
  expect(csvHeading(columns)).toBe('"text, with comma",amount\r\n')
  expect(csvRow(columns, { text: 'say "hi"\n', amount: -5n })).toBe('"say ""hi""\n",-5\r\n')
  expect(csvRow(columns, { text: '=1+1', amount: 0n })).toBe("'=1+1,0\r\n")
  expect(csvRow(columns, { text: null, amount: 0n })).toBe(',0\r\n')
})
