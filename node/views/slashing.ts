import { type ErrorCode, isPostriderError, PostriderError } from '@postrider/protocol/errors'
import { decodeRlnProof, encodeBreach } from '@postrider/protocol/rln'
import {
  bigIntToBytes,
  bytesToBigInt,
  bytesToHex,
  decode,
  hexToBytes,
  WakuMessageSchema,
} from '@postrider/protocol/wire'
import { decodeCursor, encodeCursor } from '../api/index.ts'
import type { SlashingView, SlashSummary } from '../api/types.ts'
import type { SlashCaseRecord } from '../relay/index.ts'
import { type Reason, reasonOf } from './reasons.ts'
import type { NodeParts } from './types.ts'

export type SlashingParts = {
  chain: Pick<NodeParts['chain'], 'membership' | 'slashings' | 'sender'>
  evidence: Pick<NodeParts['evidence'], 'get' | 'page'>
}

export function createSlashingView({ chain, evidence }: SlashingParts): SlashingView {
  return {
    async list({ state, cursor, limit }) {
      const after = cursor === undefined ? undefined : fromCursor(cursor)
      const found = await evidence.page({
        limit: limit + 1,
        ...(after && { after }),
        ...(state && { states: [state] }),
      })
      const shown = found.slice(0, limit)
      const last = shown.at(-1)
      return {
        items: shown.map((record) => toSlashSummary(record, chain)),
        nextCursor: last && found.length > limit ? toCursor(last) : null,
      }
    },
    async get(id) {
      const commitment = fromId(id)
      const record = commitment === undefined ? undefined : await evidence.get(commitment)
      if (!record) return undefined
      const bytes = Uint8Array.from(encodeBreach(record))
      return {
        ...toSlashSummary(record, chain),
        evidence: { format: 'postrider.v1.RlnBreach' as const, bytes },
      }
    },
  }
}

/** A case as the API shows it: what is stored of it, and what the chain says. */
export function toSlashSummary(record: SlashCaseRecord, chain: SlashingParts['chain']): SlashSummary {
  const { commitment, state, foundMs, pubsubTopic, commitHash, revealTx, reward } = record
  const slashing = chain.slashings.of(commitment)
  const index = chain.membership.member(commitment)?.index ?? slashing?.index
  const promised = commitHash && chain.slashings.promiseTx(chain.sender.address, commitHash)
  return {
    id: toId(commitment),
    state,
    foundAt: foundMs,
    commitment,
    memberIndex: index ?? null,
    pubsubTopic,
    epoch: epochOfMessage(record.second),
    commitTransaction: promised ?? null,
    revealTransaction: revealTx ?? null,
    reward: reward ?? null,
    burnt: state === 'revealed' ? (slashing?.burnt ?? null) : null,
    reason: whyOf(record),
  }
}

/** A case in these states may still bring its reward. */
export const OPEN_SLASH_STATES = ['found', 'committed', 'revealable'] as const

const ENDED: Partial<Record<SlashSummary['state'], ErrorCode>> = {
  lost: 'RELAY_SLASH_LOST',
  failed: 'RELAY_SLASH_FAILED',
}

function whyOf({ state, reason }: SlashCaseRecord): Reason | null {
  const code = ENDED[state]
  return code ? reasonOf(code, reason) : null
}

/** The epoch that a stored message's proof names; both messages of a breach name the same. */
function epochOfMessage(data: Uint8Array): bigint {
  const { rateLimitProof } = decode(WakuMessageSchema, data)
  return decodeRlnProof(rateLimitProof ?? new Uint8Array()).epoch
}

/** A case's id: the member's commitment, 32 bytes in hex. */
function toId(commitment: bigint): string {
  return bytesToHex(bigIntToBytes(commitment, 32))
}

function fromId(id: string): bigint | undefined {
  try {
    return bytesToBigInt(hexToBytes(id, 32))
  } catch (error) {
    if (isPostriderError(error)) return undefined
    throw error
  }
}

type Place = Pick<SlashCaseRecord, 'foundMs' | 'commitment'>

function toCursor({ foundMs, commitment }: Place): string {
  return encodeCursor(`${foundMs}/${toId(commitment)}`)
}

function fromCursor(cursor: string): Place {
  const [found = '', id = ''] = decodeCursor(cursor).split('/')
  const commitment = fromId(id)
  const foundMs = Number(found)
  if (commitment === undefined || !Number.isSafeInteger(foundMs))
    throw new PostriderError('API_CURSOR_INVALID')
  return { foundMs, commitment }
}
