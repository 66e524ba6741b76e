import { type DescMessage, fromBinary, type MessageShape, toBinary } from '@bufbuild/protobuf'
import { PostriderError } from '../errors/index.ts'
import { MAX_NESTING } from './constants.ts'

const READ_OPTIONS = { readUnknownFields: false, recursionLimit: MAX_NESTING }
const WRITE_OPTIONS = { writeUnknownFields: false }

/**
 * The canonical encoding: known fields in ascending order, defaults of fields without presence left out.
 * @throws WIRE_VALUE_INVALID when a value does not fit its field.
 */
export function encode<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): Uint8Array {
  try {
    return toBinary(schema, message, WRITE_OPTIONS)
  } catch (cause) {
    throw new PostriderError('WIRE_VALUE_INVALID', { detail: schema.typeName, cause })
  }
}

/**
 * Decodes; unknown fields are dropped, so they cost no memory.
 * @throws WIRE_MALFORMED, never anything else, whatever the bytes.
 */
export function decode<Desc extends DescMessage>(schema: Desc, bytes: Uint8Array): MessageShape<Desc> {
  try {
    return fromBinary(schema, bytes, READ_OPTIONS)
  } catch (cause) {
    throw new PostriderError('WIRE_MALFORMED', { detail: schema.typeName, cause })
  }
}

/**
 * True when `bytes` is as long as the canonical encoding of what it decodes to: it holds no unknown field,
 * no field twice and no padded integer. The order of fields is free, since other encoders differ in it.
 */
export function hasCanonicalSize<Desc extends DescMessage>(
  schema: Desc,
  bytes: Uint8Array,
  message: MessageShape<Desc>,
): boolean {
  return encode(schema, message).length === bytes.length
}
