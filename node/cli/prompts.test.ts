import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { ask, canAsk, confirm } from './prompts.ts'

/** A terminal whose keys a test presses; what it shows can be read. */
function terminal() {
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => stdin })
  const stderr = Object.assign(new PassThrough(), { isTTY: true })
  let shown = ''
  stderr.on('data', (chunk: Buffer) => {
    shown += chunk.toString()
  })
  return { stdin, stderr, shown: () => shown }
}

test('an answer is shown, a hidden one is not', async () => {
  const open = terminal()
  const name = ask(open, 'Name: ')
  open.stdin.write('ada\r')
  expect(await name).toBe('ada')
  expect(open.shown()).toContain('ada')

  const hidden = terminal()
  const password = ask(hidden, 'Password: ', { hidden: true })
  hidden.stdin.write('s3cret words\r')
  expect(await password).toBe('s3cret words')
  expect(hidden.shown()).toBe('Password: \n')
})

test('two questions in a row do not share input', async () => {
  const streams = terminal()
  const first = ask(streams, '1: ', { hidden: true })
  streams.stdin.write('a\r')
  expect(await first).toBe('a')
  const second = ask(streams, '2: ', { hidden: true })
  streams.stdin.write('b\r')
  expect(await second).toBe('b')
})

test('answers that arrive together go to their questions in order', async () => {
  const streams = terminal()
  const first = ask(streams, '1: ', { hidden: true })
  streams.stdin.write('a\rb\r')
  expect(await first).toBe('a')
  expect(await ask(streams, '2: ', { hidden: true })).toBe('b')
})

test('the end of input and Ctrl-C are coded', async () => {
  const closed = terminal()
  const answer = ask(closed, 'Password: ', { hidden: true })
  closed.stdin.end()
  await expect(answer).rejects.toMatchObject({ code: 'CLI_INPUT_NEEDED' })

  const interrupted = terminal()
  const pending = ask(interrupted, 'Password: ', { hidden: true })
  interrupted.stdin.write('\u0003')
  await expect(pending).rejects.toMatchObject({ code: 'CORE_ABORTED' })
})

test.each([
  ['y', true],
  ['YES', true],
  ['', false],
  ['n', false],
  ['yep', false],
])('%j confirms: %s', async (typed, expected) => {
  const streams = terminal()
  const answer = confirm(streams, 'Send?')
  streams.stdin.write(`${typed}\r`)
  expect(await answer).toBe(expected)
})

test('a pipe is never asked', () => {
  expect(canAsk(terminal())).toBe(true)
  expect(canAsk({ stdin: new PassThrough(), stderr: new PassThrough() })).toBe(false)
})
