import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { chainState } from '../api/schemas/chain.ts'
import type { RpcHealth } from '../chain/rpc.ts'
import { createManualClock } from '../core/testing/manual-clock.ts'
import { createChainView, endpointsOf } from './chain.ts'
import { stakeOf } from './node.ts'
import { createModelChain, known, OPERATOR } from './testing/model-chain.ts'

const endpoint = (url: string, state: RpcHealth['state'], rest: Partial<RpcHealth> = {}): RpcHealth => ({
  url,
  state,
  lastOkMs: undefined,
  latencyMs: undefined,
  lastError: undefined,
  ...rest,
})

describe('chain', () => {
  it('names endpoints by host only, and the one in use', () => {
    expect(
      endpointsOf([
        endpoint('https://one.example/[redacted]', 'failing', { lastError: 'CHAIN_UNREACHABLE' }),
        endpoint('https://two.example:8545', 'ok', { latencyMs: 12 }),
        endpoint('http://three.example', 'ok'),
        endpoint('http://four.example', 'unused'),
        endpoint('http://five.example', 'wrong-chain'),
      ]),
    ).toMatchObject([
      { name: 'one.example', state: 'failed', error: { code: 'CHAIN_UNREACHABLE' } },
      { name: 'two.example:8545', state: 'active', latencyMs: 12, error: null },
      { name: 'three.example', state: 'standby', latencyMs: null },
      { name: 'four.example', state: 'standby' },
      { name: 'five.example', state: 'failed' },
    ])
  })

  it('shows head, account and open transactions, and forgets the account while the chain is away', async () => {
    const { chain, follow } = createModelChain()
    const clock = createManualClock(42 * 12_000 + 3_500)
    const client = { health: () => [] }
    const view = createChainView(
      { base: { clock }, keys: { network: { chainId: 31337 } }, chain: { ...chain, client } } as never,
      { operator: known({ ...OPERATOR, ether: 1n }) },
    )
    const attempt = { hash: '0x01', raw: '0x', maxFee: 1n, priorityFee: 1n, sentMs: 4 } as const
    await chain.transactions.put({
      key: 'k',
      kind: 'settleMany',
      sender: chain.sender.address,
      target: '0x02',
      data: '0x',
      value: 0n,
      nonce: 6,
      gas: 1n,
      status: 'sent',
      attempts: [attempt, { ...attempt, hash: `0x${'02'.repeat(32)}`, sentMs: 9 }],
    })
    const here = await view.state()
    expect(here).toMatchObject({
      connected: true,
      head: { number: 42n, at: 504_000 },
      confirmed: { number: 40n },
      lagSeconds: 3.5,
      account: { ether: 1n, low: true },
      pending: [
        { transaction: `0x${'02'.repeat(32)}`, nonce: 6, purpose: 'settleMany', sentAt: 4, replaced: 1 },
      ],
      finalised: null,
    })
    z.encode(chainState, here)
    follow({ state: 'away', head: undefined, headTimestamp: undefined, block: undefined })
    const away = await view.state()
    expect(away).toMatchObject({
      connected: false,
      head: null,
      confirmed: null,
      lagSeconds: null,
      account: null,
    })
    z.encode(chainState, away)
  })
})

describe('stake', () => {
  const node = { stake: 100n, locks: 1, exitAt: undefined } as Parameters<typeof stakeOf>[0] & object

  it.each([
    [undefined, 50n, { state: 'none', staked: 0n, locks: 0, withdrawableAt: null }],
    [node, 50n, { state: 'active', staked: 100n, locks: 1 }],
    [node, 101n, { state: 'below-minimum', minimum: 101n }],
    [{ ...node, exitAt: 60 }, 101n, { state: 'exiting', withdrawableAt: 60_000 }],
  ])('is judged by the registry and the minimum', (registered, minimum, expected) => {
    expect(stakeOf(registered, minimum)).toMatchObject(expected)
  })
})
