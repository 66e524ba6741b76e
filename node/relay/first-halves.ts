import { decodeRlnProof, externalNullifier } from '@postrider/protocol/rln'
import { decode, WakuMessageSchema } from '@postrider/protocol/wire'
import type { NullifierJournal } from './nullifier-journal.ts'
import type { FoundBreach, MessageArchive } from './types.ts'

/**
 * The first message of a breach when it has left memory: the journal knows its hash, the archive has its bytes.
 * Undefined when the archive does not have it, or has the same content under another proof.
 */
export function createFirstHalves(
  { journal, archive }: { journal: NullifierJournal; archive: MessageArchive },
  { networkId }: { networkId: string },
): (breach: FoundBreach) => Promise<Uint8Array | undefined> {
  return async ({ pubsubTopic, second }) => {
    const { epoch, nullifier } = proofOf(second)
    const scope = externalNullifier({ epoch, networkId, pubsubTopic })
    const hash = await journal.find({ epoch, externalNullifier: scope, nullifier })
    const data = hash && (await archive.message(hash))
    return data && proofOf(data).nullifier === nullifier ? data : undefined
  }
}

function proofOf(data: Uint8Array) {
  return decodeRlnProof(decode(WakuMessageSchema, data).rateLimitProof ?? new Uint8Array())
}
