// The same statements in Chromium: snarkjs on one thread, and ours in its Web Worker.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { DEFAULT_ARTIFACTS_DIR } from '@postrider/circuits'
import type { RlnInputs } from '@postrider/circuits/engine'
import type { Page } from 'playwright-core'
import { memberInputs } from '../circuits/testing/member.ts'
import { launchBrowser } from '../test/support/chromium.ts'
import { PAGE, play, type Site, startSite } from '../test/support/page.ts'
import { missedBounds } from './bounds.ts'
import type { Scenes } from './browser/page.ts'
import { median, round } from './measure.ts'
import type { Outcome } from './types.ts'

export const title = 'RLN proving in Chromium: snarkjs against ours, one thread each'

const ROUNDS = 5
const MESSAGES = 4

type Times = { snarkjs: number; load: number; cold: number; warm: number; ahead: number; message: number }

export async function run(): Promise<Outcome> {
  const [site, browser] = await Promise.all([
    startSite(join(import.meta.dirname, 'browser')),
    launchBrowser(),
  ])
  try {
    for (const name of ['rln.wasm', 'rln.zkey']) {
      site.override(`/keys/${name}`, await readFile(join(DEFAULT_ARTIFACTS_DIR, name)))
    }
    const page = await browser.newPage()
    await page.goto(site.url)
    const fetched = await measure(page, 0)
    const rounds: Times[] = []
    // From here on the keys come from IndexedDB.
    for (let number = 1; number <= ROUNDS; number++) rounds.push(await measure(page, number))
    const typical = (name: keyof Times) => median(rounds.map((times) => times[name]))
    return outcome(fetched.load, typical, await sizes())
  } finally {
    await browser.close()
    await site.close()
  }
}

async function measure(page: Page, number: number): Promise<Times> {
  const messages: RlnInputs[] = Array.from({ length: MESSAGES }, (_, i) =>
    memberInputs({ x: BigInt(i + 1), messageId: i, externalNullifier: BigInt(number) }),
  )
  const snarkjs = await play<Scenes, 'snarkjs'>(page, 'snarkjs', memberInputs({ messageId: number % 10 }))
  const { load, proofs, ahead, message } = await play<Scenes, 'ours'>(page, 'ours', messages)
  const [cold = Number.NaN, ...warm] = proofs
  return { snarkjs, load, cold, warm: median(warm), ahead, message }
}

/** The code of the page of the tests, which uses the whole client. */
async function sizes(): Promise<{ page: number; compressed: number; worker: number }> {
  const site = await startSite(PAGE)
  const bytesOf = async (pattern: RegExp, of: (bytes: Uint8Array) => number) => {
    const files = [...site.sizes().keys()].filter((name) => pattern.test(name))
    const parts = await Promise.all(files.map((name) => fetchBytes(site, name)))
    return parts.reduce((sum, bytes) => sum + of(bytes), 0)
  }
  const plain = (bytes: Uint8Array) => bytes.byteLength
  const page = /^assets\/(?!prover-worker).*\.js$/
  try {
    return {
      page: await bytesOf(page, plain),
      compressed: await bytesOf(page, (bytes) => gzipSync(bytes).byteLength),
      worker: await bytesOf(/prover-worker.*\.js$/, plain),
    }
  } finally {
    await site.close()
  }
}

async function fetchBytes({ url }: Site, name: string): Promise<Uint8Array> {
  return new Uint8Array(await (await fetch(new URL(name, url))).arrayBuffer())
}

function outcome(
  fetchedMs: number,
  typical: (name: keyof Times) => number,
  bytes: Awaited<ReturnType<typeof sizes>>,
): Outcome {
  const snarkjs = typical('snarkjs')
  const row = (what: string, ms: number) => ({
    prover: what,
    'ms per proof': round(ms),
    'times snarkjs': round(snarkjs / ms),
  })
  const speedup = snarkjs / typical('warm')
  return {
    rows: [
      row('snarkjs, one thread', snarkjs),
      row('ours, first proof', typical('cold')),
      row('ours, next ones', typical('warm')),
      row('ours, ahead of the message', typical('ahead')),
      row('ours, the rest of it', typical('message')),
    ],
    result: {
      snarkjs_ms: round(snarkjs),
      fetch_keys_ms: round(fetchedMs),
      load_keys_ms: round(typical('load')),
      cold_ms: round(typical('cold')),
      warm_ms: round(typical('warm')),
      speedup_warm: round(speedup),
      ahead_ms: round(typical('ahead')),
      prepared_ms: round(typical('message')),
      page_bytes: bytes.page,
      page_gzip_bytes: bytes.compressed,
      worker_bytes: bytes.worker,
    },
    missed: missedBounds([{ what: 'speedup_warm', value: speedup, atLeast: 4 }]),
  }
}
