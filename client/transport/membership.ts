import { PostriderError } from '@postrider/protocol/errors'
import { CHANGE_BYTES } from '@postrider/protocol/rln'
import {
  create,
  decode,
  encode,
  MembershipRequestSchema,
  MembershipResponseSchema,
  PROTOCOL_IDS,
} from '@postrider/protocol/wire'
import { badAnswer, checkAnswer, readAnswer } from './answers.ts'
import { MAX_CHANGES_FRAME_BYTES } from './constants.ts'
import type { Transport } from './types.ts'

/** Member changes as one node has them; nothing of it is checked against the contract yet. */
export type ChangePage = {
  /** The node says: every change up to this block is in its list of `total`. */
  block: bigint
  total: number
  /** Encoded changes from the asked one on; none if the node has no more. */
  changes: Uint8Array
}

/**
 * Asks a node for the member changes from the `from`-th on.
 *
 * @throws PostriderError `CLIENT_STREAM_FAILED`, `CLIENT_TIMEOUT`, `CLIENT_BAD_RESPONSE`
 */
export async function requestChanges(
  transport: Transport,
  peerId: string,
  request: { requestId: string; from: number },
  signal?: AbortSignal,
): Promise<ChangePage> {
  const { requestId, from } = request
  const protocol = PROTOCOL_IDS.membership
  const message = create(MembershipRequestSchema, { requestId, from: BigInt(from) })
  const options = { maxBytes: MAX_CHANGES_FRAME_BYTES, signal }
  const bytes = await transport.request(peerId, protocol, encode(MembershipRequestSchema, message), options)
  const answer = readAnswer(protocol, () => decode(MembershipResponseSchema, bytes))
  const { code, reason } = checkAnswer(protocol, requestId, answer)
  if (code !== 200) {
    throw new PostriderError('CLIENT_BAD_RESPONSE', {
      detail: `${protocol}: ${code} ${reason}`,
      data: { code },
    })
  }
  const { block, total, changes } = answer
  if (changes.length % CHANGE_BYTES !== 0) throw badAnswer(protocol, 'changes are cut')
  return { block, total: Number(total), changes }
}
