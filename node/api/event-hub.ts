import { PostriderError } from '@postrider/protocol/errors'
import { z } from 'zod'
import type { Clock, Timer } from '../core/clock.ts'
import type { Random } from '../core/random.ts'
import {
  EVENT_BACKLOG,
  EVENT_BACKLOG_CHARS,
  EVENT_HEARTBEAT_MS,
  EVENT_RETRY_MS,
  MAX_EVENT_BUFFER_BYTES,
  MAX_EVENT_CLIENTS,
} from './constants.ts'
import { nodeEvent } from './schemas/events.ts'
import type { EventsView, NodeEvent } from './types.ts'

/** Where the frames of one stream go. */
export type EventSink = {
  write(frame: string): void
  /** Bytes written and not yet taken by the client. */
  bufferedBytes(): number
  close(): void
}

/** Fans events out to a bounded number of server-sent event streams, each resumable from the backlog. */
export type EventHub = {
  start(): void
  stop(): void
  publish(event: NodeEvent): void
  /**
   * Opens a stream. With the id of the last event that the client saw, what it missed comes first; if the backlog
   * no longer reaches back that far, a `reset` event tells it to load everything afresh.
   *
   * @returns the end of the stream, to call when the client is gone
   * @throws PostriderError `API_STREAMS_EXHAUSTED`
   */
  open(
    sink: EventSink,
    options: { lastEventId?: string | undefined; types?: readonly string[] | undefined },
  ): () => void
  clients(): number
}

type Entry = { sequence: number; type: string; frame: string }
type Client = { sink: EventSink; types: ReadonlySet<string> | undefined }

export function createEventHub(components: { clock: Clock; random: Random; source: EventsView }): EventHub {
  const { clock, random, source } = components
  // Part of each id: after a restart the numbers begin again, and an old id must not be taken for a new one.
  const run = Buffer.from(random.bytes(6)).toString('hex')
  const backlog: Entry[] = []
  const clients = new Set<Client>()
  let backlogChars = 0
  let sequence = 0
  let heartbeat: Timer | undefined
  let unsubscribe: (() => void) | undefined

  const drop = (client: Client) => {
    if (clients.delete(client)) client.sink.close()
  }

  const send = (client: Client, frame: string) => {
    client.sink.write(frame)
    if (client.sink.bufferedBytes() > MAX_EVENT_BUFFER_BYTES) drop(client)
  }

  const wants = ({ types }: Client, type: string) => types === undefined || types.has(type)

  const keep = (entry: Entry) => {
    backlog.push(entry)
    backlogChars += entry.frame.length
    while (backlog.length > EVENT_BACKLOG || backlogChars > EVENT_BACKLOG_CHARS) {
      backlogChars -= backlog.shift()?.frame.length ?? 0
    }
  }

  const publish = (event: NodeEvent) => {
    sequence += 1
    const data = { ...z.encode(nodeEvent, event), at: new Date(clock.nowMs()).toISOString() }
    const frame = sseFrame({ id: `${run}.${sequence}`, event: event.type, data })
    keep({ sequence, type: event.type, frame })
    for (const client of clients) if (wants(client, event.type)) send(client, frame)
  }

  /** Entries after the id; undefined if there is a gap between the id and the backlog. */
  const missedSince = (lastEventId: string): readonly Entry[] | undefined => {
    const [ofRun, digits = ''] = lastEventId.split('.')
    const last = Number(digits)
    const first = backlog[0]?.sequence ?? sequence + 1
    if (ofRun !== run || !/^\d{1,15}$/.test(digits) || last > sequence || last + 1 < first) return undefined
    return backlog.filter((entry) => entry.sequence > last)
  }

  return {
    publish,
    clients: () => clients.size,
    start() {
      unsubscribe = source.subscribe(publish)
      heartbeat = clock.every(EVENT_HEARTBEAT_MS, () => {
        for (const client of clients) send(client, ': heartbeat\n\n')
      })
    },
    stop() {
      unsubscribe?.()
      heartbeat?.stop()
      for (const client of clients) drop(client)
    },
    open(sink, { lastEventId, types }) {
      if (clients.size >= MAX_EVENT_CLIENTS) throw new PostriderError('API_STREAMS_EXHAUSTED')
      const client: Client = { sink, types: types && new Set(types) }
      clients.add(client)
      sink.write(`retry: ${EVENT_RETRY_MS}\n\n`)
      const missed = lastEventId === undefined ? [] : missedSince(lastEventId)
      // The id of `reset` makes the next reconnect resume from here.
      if (!missed) send(client, sseFrame({ id: `${run}.${sequence}`, event: 'reset', data: {} }))
      for (const entry of missed ?? []) if (wants(client, entry.type)) send(client, entry.frame)
      return () => drop(client)
    },
  }
}

/** One message of the event-stream format; JSON has no line breaks, so one data line is enough. */
function sseFrame({ id, event, data }: { id: string; event: string; data: unknown }): string {
  return `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`
}
