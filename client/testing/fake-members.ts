import { encodeChanges, type MembershipChange } from '@postrider/protocol/rln'
import {
  create,
  decode,
  encode,
  MembershipRequestSchema,
  type MembershipResponse,
  MembershipResponseSchema,
  PROTOCOL_IDS,
} from '@postrider/protocol/wire'
import type { Libp2p } from 'libp2p'
import { serveFrames } from './fake-libp2p.ts'

export type FakeList = {
  /** What the node has, as it says. */
  changes: readonly MembershipChange[]
  block: bigint
  /** Changes in one answer. */
  pageSize?: number
  /** The last word on every answer. */
  forge?(answer: MembershipResponse): MembershipResponse
}

/** Serves a member list, true or false; `list` is asked anew for each request. Returns how often it was asked. */
export async function serveMembers(libp2p: Libp2p, list: () => FakeList): Promise<() => number> {
  let asked = 0
  await serveFrames(libp2p, PROTOCOL_IDS.membership, async (frames) => {
    const { requestId, from } = decode(MembershipRequestSchema, await frames.read())
    asked++
    const { changes, block, pageSize = 100, forge = (answer) => answer } = list()
    const page = changes.slice(Number(from), Number(from) + pageSize)
    const answer = create(MembershipResponseSchema, {
      ...{ requestId, statusCode: 200, statusDesc: 'OK', block },
      total: BigInt(changes.length),
      changes: encodeChanges(page),
    })
    await frames.write(encode(MembershipResponseSchema, forge(answer)))
    await frames.close()
  })
  return () => asked
}
