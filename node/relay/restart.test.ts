import { bytesToHex } from '@postrider/protocol/wire'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventually } from '../core/testing/eventually.ts'
import { createTempDir, type TempDir } from '../core/testing/temp-dir.ts'
import { buildData, createMember, TOPIC } from './testing/messages.ts'
import { startNode, type TestNode } from './testing/nodes.ts'
import { createManualVerifier } from './testing/ports.ts'
import type { MessageArchive, Source } from './types.ts'

const member = createMember(99n)
const client: Source = { via: 'lightpush', peer: 'client' }

let dir: TempDir
const running: TestNode[] = []
beforeEach(async () => {
  dir = await createTempDir()
})
afterEach(async () => {
  await Promise.all(running.splice(0).map((node) => node.stop()))
  await dir.remove()
})

/** Earlier nodes on the same folder are not stopped: for the disk they died at once. */
async function start(options: Parameters<typeof startNode>[0] = {}): Promise<TestNode> {
  const node = await startNode({ dir: dir.path, ...options })
  running.push(node)
  return node
}

/** Messages with one nullifier: of one time, since the test network's epochs are short. */
const nowMs = Date.now()
const half = (text: string) => buildData({ member, text, nowMs })
const submit = async (node: TestNode, data: Uint8Array) =>
  (await node.relay.submit(TOPIC, data, client)).verdict

/** What a store node has of the messages that a relay accepted. */
function archiveOf(node: TestNode): MessageArchive {
  return {
    message: async (hash) =>
      node.received.find((message) => bytesToHex(message.hash) === bytesToHex(hash))?.data,
  }
}

describe('a node that starts again within an epoch', () => {
  it('does not accept a second message of a nullifier, and finds the first one for the evidence', async () => {
    const before = await start()
    const [first, second] = [half('one'), half('two')]
    expect(await submit(before, first)).toEqual({ kind: 'accept' })
    const after = await start({ archive: archiveOf(before) })
    expect(await submit(after, second)).toMatchObject({ kind: 'breach', secret: member.secret })
    await eventually(() => expect(after.breaches).toHaveLength(1))
    expect(after.breaches[0]).toMatchObject({ first, second, commitment: member.commitment })
    expect(after.received).toEqual([])
  })

  it('takes its own message, coming back, for what it is', async () => {
    const before = await start()
    await submit(before, half('one'))
    const after = await start()
    expect(await submit(after, half('one'))).toEqual({ kind: 'ignore', code: 'RLN_DUPLICATE' })
  })

  it('slashes without the first message when no archive has it', async () => {
    const before = await start()
    await submit(before, half('one'))
    const after = await start({ archive: { message: async () => undefined } })
    await submit(after, half('two'))
    await eventually(() =>
      expect(after.breaches).toMatchObject([{ first: new Uint8Array(), secret: member.secret }]),
    )
  })

  it('does not take the same content under another nullifier for the first message', async () => {
    const before = await start()
    const twice = [0, 1].map((messageId) => buildData({ member, text: 'same', messageId, nowMs }))
    for (const data of twice) expect(await submit(before, data)).toEqual({ kind: 'accept' })
    // The archive keeps one message for a hash, the first: it has the other nullifier.
    const after = await start({ archive: archiveOf(before) })
    await submit(after, buildData({ member, text: 'other', messageId: 1, nowMs }))
    await eventually(() =>
      expect(after.breaches).toMatchObject([{ first: new Uint8Array(), secret: member.secret }]),
    )
  })

  it('knows of no message that was not accepted', async () => {
    const verifier = createManualVerifier()
    const before = await start({ verifier })
    const pending = submit(before, half('one'))
    await eventually(() => expect(verifier.waiting()).toBe(1))
    const after = await start()
    expect(await submit(after, half('two'))).toEqual({ kind: 'accept' })
    await verifier.answer()
    await pending
  })

  it('reports a breach that it found and had not stored', async () => {
    const full = { add: () => Promise.reject(new TypeError('disk full')) }
    const before = await start({ evidence: { ...full } as never })
    await submit(before, half('one'))
    expect((await submit(before, half('two'))).kind).toBe('breach')
    const after = await start()
    await eventually(() => expect(after.breaches).toHaveLength(1))
    expect(after.breaches[0]).toMatchObject({
      first: half('one'),
      second: half('two'),
      secret: member.secret,
    })
    expect((await start()).breaches).toEqual([])
  })
})
