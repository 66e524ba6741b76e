import { type ErrorCode, errorTable, PostriderError } from '@postrider/protocol/errors'
import { CommanderError } from 'commander'
import { expect, test } from 'vitest'
import { EXIT_CODES, exitCodeOf } from './exit-codes.ts'

test('no two meanings share a number', () => {
  const codes = Object.values(EXIT_CODES).map(({ code }) => code)
  expect(new Set(codes).size).toBe(codes.length)
})

test.each([
  ['CLI_USAGE', 2],
  ['CONFIG_INVALID', 2],
  ['CLI_REFUSED', 3],
  ['CLI_NOT_CONFIRMED', 3],
  ['CHAIN_REVERTED', 4],
  ['CLI_NODE_UNREACHABLE', 5],
  ['KEYS_PASSWORD_WRONG', 6],
  ['API_UNAUTHORIZED', 6],
] as const)('%s exits with %i', (code, exit) => {
  expect(exitCodeOf(new PostriderError(code))).toBe(exit)
})

test('no failure exits with 0', () => {
  for (const code of Object.keys(errorTable))
    expect(exitCodeOf(new PostriderError(code as ErrorCode))).not.toBe(0)
  for (const thrown of [new Error('x'), 'text', undefined, null]) expect(exitCodeOf(thrown)).toBe(1)
  expect(exitCodeOf(new CommanderError(1, 'commander.help', 'x'))).toBe(2)
  expect(exitCodeOf(new CommanderError(0, 'commander.helpDisplayed', 'x'))).toBe(0)
})

test('every code of the command line and the keys has a considered exit code', () => {
  for (const code of Object.keys(errorTable).filter((name) => /^(CLI|KEYS|API)_/.test(name))) {
    expect([code, exitCodeOf(new PostriderError(code as ErrorCode))]).not.toEqual([code, 1])
  }
})
