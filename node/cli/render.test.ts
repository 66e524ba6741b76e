import { expect, test } from 'vitest'
import { duration, time } from '../operator/text.ts'
import { createStyle, fields, table, terminalText } from './render.ts'

const plain = createStyle(false)

test('tables align by what is seen, colours or not', () => {
  const coloured = createStyle(true)
  expect(
    table(
      plain,
      ['name', '>n'],
      [
        ['a', '10'],
        ['longer', '5'],
      ],
    ),
  ).toBe('name     n\na       10\nlonger   5')
  const rows = [
    [coloured.red('a'), '1'],
    ['bb', '22'],
  ]
  const lines = table(coloured, ['x', '>n'], rows).split('\n')
  expect(lines.at(-1)).toBe('bb  22')
  expect(lines.at(-2)).toBe(`${coloured.red('a')}    1`)
})

test('plain style adds nothing', () => {
  expect(plain.bold('x')).toBe('x')
  expect(createStyle(true).bold('x')).not.toBe('x')
})

test('fields without a value are left out', () => {
  expect(
    fields(plain, [
      ['a', '1'],
      ['long', undefined],
      ['bb', '2'],
    ]),
  ).toBe('a   1\nbb  2')
})

test('foreign text cannot move the cursor; our own emphasis stays', () => {
  const foreign = '\u001b[2Jgo\u0007-waku\r\n\u001b]0;title\u0007'
  expect(terminalText(foreign, false)).toBe('[2Jgo -waku \n]0;title ')
  const { red } = createStyle(true)
  expect(terminalText(red('x') + foreign, true)).toBe(`${red('x')}[2Jgo -waku \n]0;title `)
  expect(terminalText(red('x'), false)).not.toContain('\u001b')
})

test.each([
  [0, '0 s'],
  [59_400, '59 s'],
  [60_000, '1 min'],
  [3_661_000, '1 h 1 min'],
  [86_400_000 * 30, '30 d'],
  [-5, '0 s'],
])('%i ms is %s', (ms, text) => {
  expect(duration(ms)).toBe(text)
})

test('times are UTC', () => {
  expect(time(1_700_000_000_000)).toBe('2023-11-14 22:13:20 UTC')
})
