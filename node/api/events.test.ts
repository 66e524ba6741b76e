import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  EVENT_BACKLOG,
  EVENT_BACKLOG_CHARS,
  EVENT_HEARTBEAT_MS,
  HEALTH_POLL_MS,
  MAX_EVENT_BUFFER_BYTES,
  MAX_EVENT_CLIENTS,
} from './constants.ts'
import { createEventHub, type EventSink } from './event-hub.ts'
import { bearer, createTestComponents, READ_TOKEN, startTestApi } from './testing/harness.ts'
import type { NodeEvent } from './types.ts'

const connected = (peerId: string): NodeEvent => ({ type: 'peer.connected', data: { peerId } })

type Frame = { id: string; event: string; data: { data: { peerId: string }; at: string } }

/** Reads one stream over a real socket, frame by frame. */
async function openStream(url: string, headers: Record<string, string> = {}, query = '') {
  const abort = new AbortController()
  const response = await fetch(`${url}/v1/events${query}`, {
    headers: { ...bearer(READ_TOKEN), ...headers },
    signal: abort.signal,
  })
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  const nextBlock = async (): Promise<string | undefined> => {
    while (!text.includes('\n\n')) {
      const { value, done } = await reader.read()
      if (done) return undefined
      text += value
    }
    const end = text.indexOf('\n\n')
    const block = text.slice(0, end)
    text = text.slice(end + 2)
    return block
  }
  const next = async (): Promise<Frame> => {
    for (;;) {
      const block = await nextBlock()
      if (block === undefined) throw new Error('stream ended')
      const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s, 2)))
      if (fields.event) return { ...fields, data: JSON.parse(fields.data) }
    }
  }
  await nextBlock() // retry
  return { response, next, nextBlock, close: () => abort.abort() }
}

describe('over a real socket', () => {
  let context: Awaited<ReturnType<typeof startTestApi>>
  beforeEach(async () => {
    context = await startTestApi()
  })
  afterEach(() => context.api.stop())

  test('events arrive typed, with ids and their time', async () => {
    const stream = await openStream(context.api.url())
    expect(stream.response.headers.get('content-type')).toContain('text/event-stream')
    context.fake.emit(connected('p1'))
    const frame = await stream.next()
    expect(frame.event).toBe('peer.connected')
    expect(frame.data).toEqual({
      type: 'peer.connected',
      data: { peerId: 'p1' },
      at: '2023-11-14T22:13:20.000Z',
    })
    stream.close()
  })

  test('a client that comes back gets what it missed, in order', async () => {
    const first = await openStream(context.api.url())
    context.fake.emit(connected('p1'))
    const { id } = await first.next()
    first.close()
    context.fake.emit(connected('p2'))
    context.fake.emit(connected('p3'))
    const second = await openStream(context.api.url(), { 'last-event-id': id })
    expect([(await second.next()).data.data.peerId, (await second.next()).data.data.peerId]).toEqual([
      'p2',
      'p3',
    ])
    second.close()
  })

  test.each(['of-another-run.5', 'nonsense', '.', ''])(
    'an id that leads nowhere (%j) gets a reset',
    async (id) => {
      const stream = await openStream(context.api.url(), { 'last-event-id': id })
      expect((await stream.next()).event).toBe('reset')
      stream.close()
    },
  )

  test('a client can ask for some types', async () => {
    const stream = await openStream(context.api.url(), {}, '?types=peer.disconnected')
    context.fake.emit(connected('p1'))
    context.fake.emit({ type: 'peer.disconnected', data: { peerId: 'p1' } })
    expect((await stream.next()).event).toBe('peer.disconnected')
    stream.close()
    const refused = await fetch(`${context.api.url()}/v1/events?types=nonsense`, {
      headers: bearer(READ_TOKEN),
    })
    expect(await codeOf(refused)).toBe('API_REQUEST_INVALID')
  })

  test('silence is broken by heartbeats', async () => {
    const stream = await openStream(context.api.url())
    await context.clock.advance(EVENT_HEARTBEAT_MS)
    expect(await stream.nextBlock()).toBe(': heartbeat')
    stream.close()
  })

  test('a change of health is an event', async () => {
    const stream = await openStream(context.api.url(), {}, '?types=health.changed')
    Object.assign(context.fake.subsystems[0]!, { state: 'down', reason: 'away' })
    await context.clock.advance(HEALTH_POLL_MS)
    expect(await stream.next()).toMatchObject({
      event: 'health.changed',
      data: { data: { name: 'chain', state: 'down' } },
    })
    stream.close()
  })

  test('streams are bounded, and a place becomes free when a client leaves', async () => {
    const streams = []
    for (let n = 0; n < MAX_EVENT_CLIENTS; n++) streams.push(await openStream(context.api.url()))
    const refused = await fetch(`${context.api.url()}/v1/events`, { headers: bearer(READ_TOKEN) })
    expect(refused.status).toBe(503)
    expect(await codeOf(refused)).toBe('API_STREAMS_EXHAUSTED')
    streams[0]!.close()
    await expect
      .poll(async () => (await fetch(`${context.api.url()}/metrics`, { headers: bearer(READ_TOKEN) })).text())
      .toContain(`postrider_api_event_streams ${MAX_EVENT_CLIENTS - 1}`)
    const late = await openStream(context.api.url())
    expect(late.response.status).toBe(200)
    for (const stream of [...streams, late]) stream.close()
  })

  test('stopping ends the streams and unsubscribes', async () => {
    const stream = await openStream(context.api.url())
    expect(context.fake.listeners()).toBe(1)
    await context.api.stop()
    await expect(stream.next()).rejects.toThrow()
    expect(context.fake.listeners()).toBe(0)
    await expect(fetch(`${context.api.url()}/livez`)).rejects.toThrow()
  })

  test('a taken port is a coded failure', async () => {
    const { components } = createTestComponents()
    const { createApi } = await import('./index.ts')
    const port = Number(new URL(context.api.url()).port)
    await expect(createApi(components, { port }).start()).rejects.toMatchObject({ code: 'API_LISTEN_FAILED' })
  })
})

describe('the hub', () => {
  function sink() {
    const frames: string[] = []
    let buffered = 0
    let closed = false
    const port: EventSink = {
      write: (frame) => void frames.push(frame),
      bufferedBytes: () => buffered,
      close: () => {
        closed = true
      },
    }
    return { port, frames, isClosed: () => closed, clog: (bytes: number) => (buffered = bytes) }
  }
  const createHub = () => {
    const { components, fake } = createTestComponents()
    const hub = createEventHub({ ...components, source: components.views.events })
    return { hub, fake }
  }

  test('closes a client that does not read', () => {
    const { hub } = createHub()
    const slow = sink()
    hub.open(slow.port, {})
    slow.clog(MAX_EVENT_BUFFER_BYTES + 1)
    hub.publish(connected('p'))
    expect([slow.isClosed(), hub.clients()]).toEqual([true, 0])
  })

  test('forgets the oldest events, and says so to a client that needs them', () => {
    const { hub } = createHub()
    const first = sink()
    hub.open(first.port, {})
    hub.publish(connected('p0'))
    const id = /^id: (.*)$/m.exec(first.frames.at(-1)!)?.[1]
    for (let n = 0; n < EVENT_BACKLOG; n++) hub.publish(connected(`p${n}`))
    const exact = sink()
    hub.open(exact.port, { lastEventId: id })
    expect(exact.frames).toHaveLength(1 + EVENT_BACKLOG)
    hub.publish(connected('one more'))
    const late = sink()
    hub.open(late.port, { lastEventId: id })
    expect(late.frames.at(-1)).toContain('event: reset')
  })

  test('the backlog fits into the buffer of one client', () => {
    // Four bytes a character at worst; ids and names are ASCII, so this has room.
    expect(MAX_EVENT_BUFFER_BYTES).toBeGreaterThanOrEqual(4 * EVENT_BACKLOG_CHARS)
  })

  test('large events shorten the backlog', () => {
    const { hub } = createHub()
    const peerId = 'x'.repeat(EVENT_BACKLOG_CHARS / 4)
    const first = sink()
    hub.open(first.port, {})
    hub.publish(connected('p0'))
    const id = /^id: (.*)$/m.exec(first.frames.at(-1)!)?.[1]
    for (let n = 0; n < 5; n++) hub.publish(connected(peerId))
    const late = sink()
    hub.open(late.port, { lastEventId: id })
    expect(late.frames.at(-1)).toContain('event: reset')
  })
})

async function codeOf(response: Response): Promise<unknown> {
  return ((await response.json()) as { code?: unknown }).code
}
