// A payload of 1 KiB that says which message it is of.
import { createHash } from 'node:crypto'
import { decode, WakuMessageSchema } from '@postrider/protocol/wire'

const PAYLOAD_BYTES = 1_024

/** The index, then bytes that do not compress and are the same in every run. */
export function payloadOf(index: number): Uint8Array {
  const payload = createHash('shake256', { outputLength: PAYLOAD_BYTES }).update(`bench ${index}`).digest()
  payload.writeUInt32BE(index, 0)
  return new Uint8Array(payload)
}

/** The index in a serialized message. */
export function indexOf(data: Uint8Array): number {
  const { payload } = decode(WakuMessageSchema, data)
  return new DataView(payload.buffer, payload.byteOffset).getUint32(0)
}
