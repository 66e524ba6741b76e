import { accumulate, EMPTY_ACCUMULATOR } from '@postrider/protocol/rln'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { rlnState } from '../api/schemas/rln.ts'
import type { MemberState } from '../chain/operator.ts'
import { createManualClock } from '../core/testing/manual-clock.ts'
import { createRlnView } from './rln.ts'
import { chainEvent, createModelChain, known, slashedEvent } from './testing/model-chain.ts'

const COMMITMENT = 77n
const LEAVING: MemberState = {
  status: 'leaving',
  index: 0,
  limit: 20,
  deposit: 200n,
  withdrawableAt: 1_800_000,
}

function setUp(options: { identity?: boolean; contract?: MemberState } = {}) {
  const { identity = true, contract } = options
  const { chain, apply } = createModelChain()
  const clock = createManualClock(1_700_000_004_000)
  const own = {
    commitment: COMMITMENT,
    limit: 20,
    range: { first: 5, count: 10 },
    ids: { remaining: async () => 7 },
  }
  const relay = { stats: () => ({ nullifiers: 3, maxNullifiers: 100, epochs: 2 }) }
  const keys = { network: { epochSeconds: 10 } }
  const parts = { base: { clock }, chain, keys, relay, own: identity ? own : undefined }
  const view = createRlnView(parts as never, { member: identity ? known(contract) : undefined })
  const join = () => {
    const change = { index: 0, commitment: COMMITMENT, limit: 20 }
    const accumulator = accumulate(EMPTY_ACCUMULATOR, change)
    const args = { index: '0', commitment: `${COMMITMENT}`, limit: '20', accumulator }
    apply(chainEvent({ block: 2 }, 'rlnMembership', 'MembershipChanged', args))
  }
  const state = async () => {
    const answer = await view.state()
    z.encode(rlnState, answer)
    return answer
  }
  return { state, join, apply }
}

describe('rate limit', () => {
  it('has an epoch, a tree and a log without a membership', async () => {
    const { state } = setUp({ identity: false })
    expect(await state()).toMatchObject({
      membership: { state: 'none', commitment: null },
      budget: null,
      epoch: { number: 170_000_000n, startsAt: 1_700_000_000_000, endsAt: 1_700_000_010_000 },
      tree: { members: 0, rootsKnown: 0, accumulator: EMPTY_ACCUMULATOR },
      nullifiers: { entries: 3, limit: 100, epochs: 2 },
    })
  })

  it('waits for the registration, then has a budget', async () => {
    const { state, join } = setUp({ contract: { ...LEAVING, status: 'active', withdrawableAt: 0 } })
    expect(await state()).toMatchObject({
      membership: { state: 'pending', commitment: COMMITMENT, limit: 20, index: null },
      budget: null,
    })
    join()
    expect(await state()).toMatchObject({
      membership: { state: 'active', index: 0, limit: 20, deposit: 200n, releasedAt: null },
      budget: { limit: 10, used: 3, remaining: 7, firstId: 5 },
      tree: { members: 1, rootsKnown: 1 },
    })
  })

  it('does not know the deposit while the chain is away', async () => {
    const { state, join } = setUp()
    join()
    expect(await state()).toMatchObject({ membership: { state: 'active', deposit: null } })
  })

  it('says when the deposit of one that left is free', async () => {
    const leaving = setUp({ contract: LEAVING })
    expect(await leaving.state()).toMatchObject({
      membership: { state: 'leaving', index: 0, deposit: 200n, releasedAt: 1_800_000_000 },
    })
    const gone = setUp({ contract: { ...LEAVING, status: 'withdrawn' } })
    expect(await gone.state()).toMatchObject({ membership: { state: 'withdrawn', deposit: null } })
  })

  it('tells that it was slashed', async () => {
    const { state, apply } = setUp()
    apply(slashedEvent({ block: 3 }, { commitment: COMMITMENT, reward: 1n, index: 6 }))
    expect(await state()).toMatchObject({ membership: { state: 'slashed', index: 6 }, budget: null })
  })
})
