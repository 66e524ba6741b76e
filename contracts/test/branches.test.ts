import { expect, test } from 'vitest'
import { markBranches } from '../scripts/coverage/branches.ts'

const SOURCE = `contract C {
    function f(uint256 a) external pure returns (uint256) {
        if (a > 1) revert(); // if (never) a comment;
        if (a == g(1)) {
            a = 2;
        } else {
            a = 3;
        }
        return a == 0 ? 1 : a;
    }
}
`

test('every way of an if and of a ternary has a line of its own', () => {
  const { branches, text, originalOf } = markBranches(SOURCE)
  expect(branches.map(({ original, way }) => `${original} ${way}`)).toEqual([
    '3 if true',
    '3 if false',
    '4 if true',
    '4 if false',
    '9 ternary true',
    '9 ternary false',
  ])
  const lines = text.split('\n')
  for (const { lines: marks, way } of branches) {
    const expected = way.startsWith('if') ? '0;' : 'return v;'
    expect(marks.every((line) => lines[line - 1]?.startsWith(expected))).toBe(true)
  }
  expect(originalOf[lines.findIndex((line) => line.includes('a = 3;'))]).toBe(7)
})

test('nothing of the source is lost', () => {
  const { text } = markBranches('contract C {\n    uint256 private x;\n}\n')
  expect(text).toBe('contract C {\n    uint256 private x;\n}\n')
})
