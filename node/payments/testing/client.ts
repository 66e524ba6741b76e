import type { Connection, Libp2p } from '@libp2p/interface'
import {
  type AccountView,
  type ClientPaymentFrame,
  decodeNodeFrame,
  encodeClientFrame,
  type NodePaymentFrame,
  type Terms,
} from '@postrider/protocol/payment'
import { PROTOCOL_IDS } from '@postrider/protocol/wire'
import { createFrameStream } from '../../core/p2p/streams.ts'
import { SESSION_BUFFER_BYTES } from '../constants.ts'
import type { Payer } from './kit.ts'

const DEADLINE_MS = 10_000

type Frame<Type> = Extract<NodePaymentFrame, { type: Type }>

/** A payer on a real payment stream. */
export type PaymentClient = {
  send(frame: ClientPaymentFrame): Promise<void>
  /** Bytes as one frame, whatever they are. */
  sendRaw(bytes: Uint8Array): Promise<void>
  /** The next frame, which must be of this type. */
  next<Type extends NodePaymentFrame['type']>(type: Type): Promise<Frame<Type>>
  /** Reads until an account frame satisfies `ready`; other frames are skipped. */
  account(ready: (account: AccountView) => boolean): Promise<AccountView>
  hello(): Promise<Terms>
  /** Binds the payer's channel; `over` replaces parts of what is sent or signed. */
  bind(payer: Payer, terms: Terms, over?: Partial<Parameters<Payer['bind']>[0]>): Promise<void>
  /** Resolves when the node has closed or reset the stream; closes this side then. */
  closed(): Promise<void>
  close(): Promise<void>
}

/** One end of a connection: what a Bind says of it. */
type End = { libp2p: Pick<Libp2p, 'peerId'> }

export async function openPaymentStream(
  client: End,
  node: End,
  connection: Connection,
): Promise<PaymentClient> {
  const stream = await connection.newStream(PROTOCOL_IDS.payment)
  const frames = createFrameStream(stream, SESSION_BUFFER_BYTES)
  const read = async () => decodeNodeFrame(await frames.read(AbortSignal.timeout(DEADLINE_MS)))

  const self: PaymentClient = {
    send: (frame) => frames.write(encodeClientFrame(frame)),
    sendRaw: (bytes) => frames.write(bytes),
    async next(type) {
      const frame = await read()
      if (frame.type !== type) throw new TypeError(`expected ${type}, got ${JSON.stringify(frame, plain)}`)
      return frame as Frame<typeof type>
    },
    async account(ready) {
      for (;;) {
        const frame = await read()
        if (frame.type === 'account' && ready(frame.account)) return frame.account
      }
    },
    async hello() {
      await self.send({ type: 'hello', version: 1 })
      return (await self.next('terms')).terms
    },
    async bind(payer, { nonce }, over = {}) {
      const statement = {
        nonce,
        clientPeerId: client.libp2p.peerId.toMultihash().bytes,
        nodePeerId: node.libp2p.peerId.toMultihash().bytes,
        ...over,
      }
      await self.send({ type: 'bind', descriptor: payer.descriptor, signature: payer.bind(statement) })
    },
    async closed() {
      for (;;) {
        try {
          await read()
        } catch {
          return stream.close().catch(() => undefined)
        }
      }
    },
    async close() {
      await stream.close().catch(() => undefined)
    },
  }
  return self
}

function plain(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value
}
