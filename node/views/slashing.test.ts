import { decodeBreach, epochAt } from '@postrider/protocol/rln'
import { describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { slashCase } from '../api/schemas/rln.ts'
import { openDatabase } from '../core/db/index.ts'
import { createManualClock } from '../core/testing/manual-clock.ts'
import { createTempDir } from '../core/testing/temp-dir.ts'
import { createEvidenceStore } from '../relay/evidence.ts'
import { buildData, createMember, network, TOPIC } from '../relay/testing/messages.ts'
import { createSlashingView } from './slashing.ts'
import { ACCOUNT, chainEvent, createModelChain, slashedEvent } from './testing/model-chain.ts'

async function setUp() {
  const clock = createManualClock()
  const dir = await createTempDir()
  const { db, close } = await openDatabase(dir.file('node.db'))
  onTestFinished(async () => {
    await close()
    await dir.remove()
  })
  const evidence = createEvidenceStore({ db, clock })
  const { chain, apply } = createModelChain()
  const view = createSlashingView({ chain, evidence } as never)
  const find = async (secret: bigint) => {
    const member = createMember(secret)
    const message = (text: string) => buildData({ member, text, nowMs: clock.nowMs() })
    const [first, second] = [message('one'), message('two')]
    await evidence.add({ pubsubTopic: TOPIC, first, second, secret, commitment: member.commitment })
    return { commitment: member.commitment, first, second }
  }
  return { clock, evidence, apply, view, find }
}

describe('slashing', () => {
  it('shows a case with what is stored, what the chain says, and its evidence', async () => {
    const { clock, evidence, apply, view, find } = await setUp()
    const { commitment, first, second } = await find(11n)
    const epoch = epochAt(clock.nowMs(), network.epochSeconds)
    const [found] = (await view.list({ limit: 10 })).items
    expect(found).toMatchObject({ state: 'found', epoch, memberIndex: null, commitTransaction: null })

    const commitHash = `0x${'0c'.repeat(32)}` as const
    const revealTx = `0x${'0d'.repeat(32)}` as const
    apply(chainEvent({ block: 3 }, 'rlnMembership', 'SlashCommitted', { slasher: ACCOUNT, commitHash }))
    apply(slashedEvent({ block: 5 }, { commitment, reward: 30n, burnt: 70n, index: 4 }))
    await evidence.update(commitment, { state: 'revealed', commitHash, revealTx, reward: 30n })
    const shown = await view.get(found!.id)
    expect(shown).toMatchObject({
      state: 'revealed',
      commitment,
      memberIndex: 4,
      reward: 30n,
      burnt: 70n,
      revealTransaction: revealTx,
      reason: null,
    })
    expect(shown?.commitTransaction).toMatch(/^0x/)
    expect(decodeBreach(shown!.evidence.bytes)).toMatchObject({ pubsubTopic: TOPIC })
    expect(decodeBreach(shown!.evidence.bytes).first).toEqual(first)
    expect(decodeBreach(shown!.evidence.bytes).second).toEqual(second)
    z.encode(slashCase, shown!)
  })

  it('says why a case brought nothing', async () => {
    const { evidence, view, find } = await setUp()
    const lost = await find(11n)
    const failed = await find(12n)
    await evidence.update(lost.commitment, { state: 'lost' })
    await evidence.update(failed.commitment, { state: 'failed', reason: 'there is no deposit' })
    const { items } = await view.list({ limit: 10 })
    expect(new Map(items.map(({ state, reason }) => [state, reason]))).toEqual(
      new Map([
        ['lost', { code: 'RELAY_SLASH_LOST', text: 'Another account slashed the member first' }],
        ['failed', { code: 'RELAY_SLASH_FAILED', text: 'there is no deposit' }],
      ]),
    )
    expect((await view.list({ limit: 10, state: 'lost' })).items).toHaveLength(1)
  })

  it('is paged, newest first', async () => {
    const { clock, view, find } = await setUp()
    const commitments: bigint[] = []
    for (const secret of [11n, 12n, 13n]) {
      commitments.unshift((await find(secret)).commitment)
      await clock.advance(1_000)
    }
    const first = await view.list({ limit: 2 })
    const second = await view.list({ limit: 2, cursor: first.nextCursor! })
    expect([...first.items, ...second.items].map(({ commitment }) => commitment)).toEqual(commitments)
    expect(second.nextCursor).toBeNull()
  })

  it.each(['x', '0x00', `0x${'00'.repeat(32)}`])('has no case %s', async (id) => {
    const { view } = await setUp()
    expect(await view.get(id)).toBeUndefined()
  })

  it('refuses a cursor that it did not give', async () => {
    const { view } = await setUp()
    await expect(
      view.list({ limit: 1, cursor: Buffer.from('7/x').toString('base64url') }),
    ).rejects.toMatchObject({ code: 'API_CURSOR_INVALID' })
  })
})
