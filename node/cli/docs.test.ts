import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { EXIT_CODES } from './exit-codes.ts'

test('the README lists every exit code as the program does', async () => {
  const readme = await readFile(new URL('./README.md', import.meta.url), 'utf8')
  const rows = [...readme.matchAll(/^\| (\d+) +\| (.*?) +\|$/gm)].map(([, code, meaning]) => [
    Number(code),
    meaning,
  ])
  expect(rows).toEqual(Object.values(EXIT_CODES).map(({ code, meaning }) => [code, meaning]))
})
