import type { Connection } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import {
  create,
  decode,
  encode,
  FilterSubscribeRequestSchema,
  type FilterSubscribeResponse,
  FilterSubscribeResponseSchema,
  LightpushRequestSchema,
  type LightpushResponse,
  LightpushResponseSchema,
  type MessageInitShape,
  type MessagePush,
  MessagePushSchema,
  PROTOCOL_IDS,
  type WakuMessage,
} from '@postrider/protocol/wire'
import { systemClock } from '../../core/clock.ts'
import { createFrameStream, requestFrame } from '../../core/p2p/streams.ts'
import { createTestHost, tcpAddress } from '../../core/p2p/testing/hosts.ts'
import type { Host } from '../../core/p2p.ts'

/** A light client as plain as it gets: one frame out, one frame back. */
export type TestClient = {
  host: Host
  connection: Connection
  pushes: MessagePush[]
  request(protocol: string, frame: Uint8Array): Promise<Uint8Array>
  lightpush(
    message: WakuMessage | undefined,
    options?: { requestId?: string; pubsubTopic?: string },
  ): Promise<LightpushResponse>
  filter(request: MessageInitShape<typeof FilterSubscribeRequestSchema>): Promise<FilterSubscribeResponse>
  stop(): Promise<void>
}

/** @param handlePushes false: the client does not speak the push protocol */
export async function connectClient(server: Host, handlePushes = true): Promise<TestClient> {
  const host = await createTestHost({ listen: [] })
  await host.start()
  const pushes: MessagePush[] = []
  if (handlePushes) {
    await host.libp2p.handle(PROTOCOL_IDS.filterPush, async (stream) => {
      const frames = createFrameStream(stream, 1_048_576, 16)
      for (;;) {
        const frame = await frames.read().catch(() => undefined)
        if (!frame) return
        pushes.push(decode(MessagePushSchema, frame))
      }
    })
  }
  const connection = await host.libp2p.dial(multiaddr(tcpAddress(server)))
  const request = (protocol: string, frame: Uint8Array) =>
    requestFrame({ clock: systemClock }, connection, frame, {
      protocol,
      maxResponseBytes: 10_000,
      deadlineMs: 20_000,
    })
  let lastId = 0
  return {
    host,
    connection,
    pushes,
    request,
    async lightpush(message, { requestId = `request-${++lastId}`, pubsubTopic } = {}) {
      const frame = encode(
        LightpushRequestSchema,
        create(LightpushRequestSchema, {
          requestId,
          ...(message ? { message } : {}),
          ...(pubsubTopic === undefined ? {} : { pubsubTopic }),
        }),
      )
      return decode(LightpushResponseSchema, await request(PROTOCOL_IDS.lightpush, frame))
    },
    async filter(fields) {
      const frame = encode(
        FilterSubscribeRequestSchema,
        create(FilterSubscribeRequestSchema, { requestId: `request-${++lastId}`, ...fields }),
      )
      return decode(FilterSubscribeResponseSchema, await request(PROTOCOL_IDS.filterSubscribe, frame))
    },
    stop: () => host.stop(),
  }
}
