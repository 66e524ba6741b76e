// The thread of writer.ts. A transaction blocks it until the disk has it, so requests are answered in their order.
import { parentPort, workerData } from 'node:worker_threads'
import { createClient } from '@libsql/client'
import type { WriteReply, WriteRequest, WriterSetup } from './writer.ts'

const { config, settings } = workerData as WriterSetup
const client = createClient(config)
const ready = client.executeMultiple(settings)
let last: Promise<void> = ready

parentPort?.on('message', (request: WriteRequest) => {
  last = last.catch(() => undefined).then(() => answer(request))
})

async function answer({ id, statements }: WriteRequest): Promise<void> {
  parentPort?.postMessage(await attempt(id, statements))
}

async function attempt(id: number, statements: WriteRequest['statements']): Promise<WriteReply> {
  try {
    await ready
    await client.batch(
      statements.map(({ sql, values }) => ({ sql, args: values })),
      'write',
    )
    return { id }
  } catch (error) {
    return { id, failure: error instanceof Error ? error.message : String(error) }
  }
}
