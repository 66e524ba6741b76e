import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, it } from 'vitest'

const child = fileURLToPath(new URL('./testing/publish-child.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'postrider-kill-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Runs a client until it says `until`, kills it with SIGKILL, and gives the message id that it took. */
async function takeAndKill(mode: string, until: string): Promise<number> {
  const running = spawn(process.execPath, [child, join(folder, 'client.db'), mode], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(running, 'exit')
  let id = Number.NaN
  try {
    for await (const line of createInterface({ input: running.stdout })) {
      if (line.startsWith('id ')) id = Number(line.slice(3))
      if (line.startsWith(until)) break
    }
  } finally {
    running.kill('SIGKILL')
    await exited
  }
  return id
}

it('never uses a message id again after it was killed between taking and sending it', async () => {
  const ids = [
    await takeAndKill('before-send', 'id'),
    await takeAndKill('send', 'sent'),
    await takeAndKill('before-send', 'id'),
  ]
  expect(ids).toEqual([0, 1, 2])
})
