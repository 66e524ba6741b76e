import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '..', '..')
const TABLE = join(ROOT, 'docs', 'security', 'payments.md')

/** File and name of every test in the last column of the tables. */
function namedTests(): { file: string; name: string }[] {
  const rows = readFileSync(TABLE, 'utf8')
    .split('\n')
    .filter((line) => /^\|.*`[\w/.-]+`: /.test(line))
  return rows.flatMap((row) =>
    [...row.matchAll(/`([\w/.-]+)`: ([^`|]+?)(?=<br>| \|)/g)].flatMap(([, file = '', names = '']) =>
      names.split('; ').map((name) => ({ file, name })),
    ),
  )
}

test('every past failure of others names tests that exist', () => {
  const tests = namedTests()
  const missing = tests.filter(({ file, name }) => !readFileSync(join(ROOT, file), 'utf8').includes(name))
  expect(missing).toEqual([])
  expect(tests.length).toBeGreaterThan(60)
})
