import { MAX_CLOCK_GAP_SECONDS } from '@postrider/protocol/rln'
import { MAX_MESSAGE_BYTES } from '@postrider/protocol/wire'
import { describe, expect, it } from 'vitest'
import {
  GOSSIP_CACHE_HEARTBEATS,
  GOSSIP_HEARTBEAT_MS,
  GOSSIP_SEEN_TTL_MS,
  MAX_GOSSIP_OUTBOUND_BYTES,
  MAX_GOSSIP_RPC_BYTES,
  PENALTY_BAN_POINTS,
  PENALTY_SCORE_WEIGHT,
  SCORE_GOSSIP_THRESHOLD,
  SCORE_GRAYLIST_THRESHOLD,
  SCORE_INVALID_WEIGHT,
  SCORE_PUBLISH_THRESHOLD,
} from '../core/p2p/constants.ts'
import {
  INVALID_PROOF_POINTS,
  MAX_EVIDENCE_CACHE_BYTES,
  RELAY_TICK_MS,
  RELAY_VALIDATION_DEADLINE_MS,
  ROOT_WAIT_MS,
} from './constants.ts'

describe('relations between limits', () => {
  it('lets every verdict fall while gossip still has the message', () => {
    const longestMs = RELAY_VALIDATION_DEADLINE_MS + RELAY_TICK_MS
    expect(longestMs).toBeLessThan((GOSSIP_CACHE_HEARTBEATS - 1) * GOSSIP_HEARTBEAT_MS)
    expect(ROOT_WAIT_MS).toBeLessThan(RELAY_VALIDATION_DEADLINE_MS)
  })

  it('remembers an id for as long as its message can be acceptable', () => {
    expect(GOSSIP_SEEN_TTL_MS).toBeGreaterThan(2 * MAX_CLOCK_GAP_SECONDS * 1000)
  })

  it('has room for the largest message in every buffer', () => {
    expect(MAX_GOSSIP_RPC_BYTES).toBeGreaterThan(2 * MAX_MESSAGE_BYTES)
    expect(MAX_GOSSIP_OUTBOUND_BYTES).toBeGreaterThan(MAX_GOSSIP_RPC_BYTES)
    expect(MAX_EVIDENCE_CACHE_BYTES).toBeGreaterThan(100 * MAX_MESSAGE_BYTES)
  })

  it('does not hear a peer after one invalid proof, and bans it after two', () => {
    expect(PENALTY_SCORE_WEIGHT * INVALID_PROOF_POINTS ** 2).toBeLessThan(SCORE_GRAYLIST_THRESHOLD)
    const atReturn = Math.sqrt(SCORE_GRAYLIST_THRESHOLD / PENALTY_SCORE_WEIGHT)
    expect(atReturn + INVALID_PROOF_POINTS).toBeGreaterThanOrEqual(PENALTY_BAN_POINTS)
  })

  it('graylists after ten invalid messages and stops gossip after one', () => {
    expect(SCORE_INVALID_WEIGHT * 1).toBeLessThanOrEqual(SCORE_GOSSIP_THRESHOLD)
    expect(SCORE_INVALID_WEIGHT * 10 ** 2).toBeLessThanOrEqual(SCORE_GRAYLIST_THRESHOLD)
    expect(SCORE_INVALID_WEIGHT * 3 ** 2).toBeGreaterThan(SCORE_PUBLISH_THRESHOLD)
  })
})
