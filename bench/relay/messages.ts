// Valid RLN messages of 1 KiB, all for one moment. A proof takes about a tenth of a second, so messages are made once
// and kept on disk under the hash of the proving key.
import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { loadArtifacts } from '@postrider/circuits'
import type { MadeMessage, MakeOrder } from './message-worker.ts'

const LENGTH_BYTES = 4

export type MessageOptions = {
  /** Folder of the cache. */
  dir: string
  count: number
  threads?: number
  onProgress?(made: number): void
}

/** `count` serialized messages; those that are not in the cache are made, and kept as soon as they are there. */
export async function loadMessages(options: MessageOptions): Promise<Uint8Array[]> {
  const { dir, count, threads = availableParallelism(), onProgress } = options
  const { zkey } = await loadArtifacts()
  const key = createHash('sha256').update(zkey).digest('hex').slice(0, 16)
  const file = join(dir, `relay-messages-${key}`)
  const known = await readRecords(file)
  const missing = Array.from({ length: count }, (_, index) => index).filter((index) => !known.has(index))
  if (missing.length > 0) {
    await mkdir(dir, { recursive: true })
    await rewrite(file, known)
    const out = createWriteStream(file, { flags: 'a' })
    await makeAll(missing, Math.min(threads, missing.length), ({ index, data }) => {
      known.set(index, data)
      out.write(record(index, data))
      onProgress?.(known.size)
    })
    await new Promise<void>((resolve) => out.end(resolve))
  }
  return Array.from({ length: count }, (_, index) => known.get(index) ?? new Uint8Array())
}

function record(index: number, data: Uint8Array): Buffer {
  const head = Buffer.alloc(2 * LENGTH_BYTES)
  head.writeUInt32BE(index, 0)
  head.writeUInt32BE(data.length, LENGTH_BYTES)
  return Buffer.concat([head, data])
}

/** Whole records; one that a crash cut short is made anew. */
async function readRecords(file: string): Promise<Map<number, Uint8Array>> {
  const bytes = await readFile(file).catch(() => Buffer.alloc(0))
  const records = new Map<number, Uint8Array>()
  for (let at = 0; at + 2 * LENGTH_BYTES <= bytes.length; ) {
    const end = at + 2 * LENGTH_BYTES + bytes.readUInt32BE(at + LENGTH_BYTES)
    if (end > bytes.length) break
    records.set(bytes.readUInt32BE(at), new Uint8Array(bytes.subarray(at + 2 * LENGTH_BYTES, end)))
    at = end
  }
  return records
}

async function rewrite(file: string, records: ReadonlyMap<number, Uint8Array>): Promise<void> {
  const next = `${file}.next`
  await writeFile(next, Buffer.concat([...records].map(([index, data]) => record(index, data))))
  await rename(next, file)
}

async function makeAll(
  indices: readonly number[],
  threads: number,
  onMessage: (message: MadeMessage) => void,
): Promise<void> {
  const orders = Array.from({ length: threads }, (_, thread) =>
    indices.filter((_, position) => position % threads === thread),
  )
  await Promise.all(orders.map((order) => makeSome({ indices: order }, onMessage)))
}

function makeSome(order: MakeOrder, onMessage: (message: MadeMessage) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    // The parent's flags stay out: a test runner's loader must not reach into the worker.
    const worker = new Worker(new URL('./message-worker.ts', import.meta.url), {
      workerData: order,
      execArgv: [],
    })
    worker.on('message', onMessage)
    worker.once('error', reject)
    worker.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`prover ended with ${code}`))))
  })
}
