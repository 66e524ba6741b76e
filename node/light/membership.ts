import { type ErrorCode, PostriderError } from '@postrider/protocol/errors'
import { MAX_CHANGES_PER_PAGE } from '@postrider/protocol/rln'
import {
  create,
  decode,
  encode,
  MembershipRequestSchema,
  MembershipResponseSchema,
  PROTOCOL_IDS,
} from '@postrider/protocol/wire'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Metrics } from '../core/metrics.ts'
import { type RequestServer, serveRequests } from '../core/p2p/streams.ts'
import type { Host } from '../core/p2p.ts'
import { createRateLimiter, type RateLimiter } from '../core/rate-limiter.ts'
import {
  ALL_PAGES_BURST,
  ALL_PAGES_PER_SECOND,
  MAX_MEMBERSHIP_REQUEST_BYTES,
  MAX_MEMBERSHIP_STREAMS,
  MAX_MEMBERSHIP_STREAMS_PER_CONNECTION,
  MAX_REQUEST_ID_CHARS,
  MEMBERSHIP_DEADLINE_MS,
  PAGES_BURST,
  PAGES_PER_SECOND,
} from './constants.ts'
import { answerForError } from './status.ts'
import type { MembershipChanges } from './types.ts'

export type MembershipServerComponents = {
  host: Pick<Host, 'libp2p'>
  changes: MembershipChanges
  clock: Clock
  logger: Logger
  metrics: Metrics
}

export type MembershipServer = { start(): Promise<void>; stop(): Promise<void> }

type Page = { block: number; total: number; changes: Uint8Array }

/**
 * Serves `/postrider/membership/1.0.0`: the member changes of the contract, page by page. Free of charge, since a
 * client needs them before it can prove, and costs no more than copying bytes; limited per client and over all.
 */
export function createMembershipServer(components: MembershipServerComponents): MembershipServer {
  const { host, changes, clock, logger, metrics } = components
  const limits = createLimits(clock)
  const answers = metrics.counter('light_membership_total', {
    help: 'Membership answers by status; "reset" when the stream ended without one',
    labels: ['status'],
  })
  let server: RequestServer | undefined

  const answer = async (frame: Uint8Array, peer: string): Promise<Uint8Array> => {
    let requestId = ''
    let page: Partial<Page> = {}
    let served: { status: number; desc: string } = { status: 200, desc: 'OK' }
    try {
      const request = decode(MembershipRequestSchema, frame)
      requestId = request.requestId.slice(0, MAX_REQUEST_ID_CHARS)
      limits.take(peer)
      page = readPage(changes, request.from)
    } catch (err) {
      served = answerForError(err)
      if (served.status === 500) logger.error({ err }, 'member changes could not be read')
    }
    answers.inc({ status: served.status })
    const { status: statusCode, desc: statusDesc } = served
    const { block = 0, total = 0, changes: bytes = new Uint8Array(0) } = page
    const fields = { requestId, statusCode, statusDesc, block: BigInt(block), total: BigInt(total) }
    return encode(MembershipResponseSchema, create(MembershipResponseSchema, { ...fields, changes: bytes }))
  }

  return {
    async start() {
      server = await serveRequests(
        { libp2p: host.libp2p, clock },
        {
          protocol: PROTOCOL_IDS.membership,
          limits: {
            maxRequestBytes: MAX_MEMBERSHIP_REQUEST_BYTES,
            deadlineMs: MEMBERSHIP_DEADLINE_MS,
            maxStreamsPerConnection: MAX_MEMBERSHIP_STREAMS_PER_CONNECTION,
            maxStreams: MAX_MEMBERSHIP_STREAMS,
          },
          onFailure: (err, peer) => {
            answers.inc({ status: 'reset' })
            logger.debug({ err, peer }, 'membership stream reset')
          },
        },
        (frame, { peer }) => answer(frame, peer),
      )
    },
    async stop() {
      await server?.stop()
      server = undefined
    },
  }
}

/** @throws PostriderError `LIGHT_MEMBERS_UNKNOWN` */
function readPage({ head, read }: MembershipChanges, from: bigint): Page {
  const { count, block } = head()
  if (block === undefined) throw new PostriderError('LIGHT_MEMBERS_UNKNOWN')
  // A client that has more than the node does gets nothing, and sees by the total that the node is behind.
  const start = from < BigInt(count) ? Number(from) : count
  return { block, total: count, changes: read(start, MAX_CHANGES_PER_PAGE) }
}

/** What one client, and all of them together, may ask for. */
function createLimits(clock: Clock): { take(peer: string): void } {
  const each = createRateLimiter(clock, { perSecond: PAGES_PER_SECOND, burst: PAGES_BURST })
  const all = createRateLimiter(clock, { perSecond: ALL_PAGES_PER_SECOND, burst: ALL_PAGES_BURST })
  const take = (limiter: RateLimiter, key: string, code: ErrorCode) => {
    if (!limiter.take(key)) throw new PostriderError(code)
  }
  return {
    take(peer) {
      take(each, peer, 'LIGHT_TOO_MANY_REQUESTS')
      take(all, 'all', 'LIGHT_BUSY')
    },
  }
}
