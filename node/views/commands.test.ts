import { describe, expect, it } from 'vitest'
import type { Command } from '../api/types.ts'
import type { AccountRecord } from '../payments/types.ts'
import { draftOf } from './commands.ts'
import { ACCOUNT, OTHER } from './testing/model-chain.ts'
import { createMoney, paidAccount } from './testing/money.ts'

/** The chain is not asked: plans of what the payment engine chose need its addresses alone. */
const context = {
  chain: { network: { contracts: { paymentChannels: OTHER } } } as never,
  account: ACCOUNT,
}

async function setUp(accounts: AccountRecord[], redemption: Parameters<typeof createMoney>[1] = {}) {
  const { payments, redeemer } = await createMoney(accounts, redemption)
  await payments.start()
  return { payments, redeemer, draft: (command: Command) => draftOf(command, { context, payments }) }
}

const CLOSE_ALL = { kind: 'channel.close', channelId: null } as const

describe('closing every channel', () => {
  it('takes as many as fit, the most valuable first, and says how many it leaves', async () => {
    const [poor, rich, middle] = [paidAccount(1, 0n), paidAccount(2, 500n), paidAccount(3, 20n)]
    const { payments, draft } = await setUp([poor, rich, middle], { maxBatchClaims: 1 })
    const drafted = await draft(CLOSE_ALL)
    expect(drafted).toMatchObject({ amount: 500n, channels: [{ id: rich.channelId, amount: 500n }] })
    expect(drafted?.plan.steps).toMatchObject([{ label: 'close the channel', call: { kind: 'closeMany' } }])
    expect(drafted?.plan.checks).toMatchObject([
      { state: 'ok' },
      { state: 'warning', reason: expect.stringMatching(/^2 channels/) },
    ])
    await payments.stop()
  })

  it('is nothing to do when all have ended', async () => {
    const { payments, draft } = await setUp([paidAccount(1, 5n, { status: 'closed', settled: 5n })])
    expect((await draft(CLOSE_ALL))?.plan).toMatchObject({ checks: [], steps: [] })
    await payments.stop()
  })

  it('says that channels are left that it cannot take', async () => {
    const { payments, redeemer, draft } = await setUp([paidAccount(1, 500n)])
    redeemer.respond = () => new Promise(() => {})
    await payments.redemption.redeem({})
    expect((await draft(CLOSE_ALL))?.plan).toMatchObject({ checks: [{ state: 'warning' }], steps: [] })
    await payments.stop()
  })
})

describe('a channel whose last claim failed a short time ago', () => {
  const [account, other] = [paidAccount(1, 500n), paidAccount(2, 9n)]
  const { channelId } = account

  async function failed() {
    const world = await setUp([account, other])
    const { payments, redeemer } = world
    redeemer.respond = () => ({ status: 'reverted', txHash: `0x${'0f'.repeat(32)}`, reason: 'OutOfGas' })
    await payments.redemption.redeem({ channels: [channelId], force: true })
    await expect.poll(async () => (await payments.channel(channelId))?.held).toBe('retryLater')
    return world
  }

  it('is not closed, and a check says why', async () => {
    const { payments, draft } = await failed()
    const { checks } = (await draft({ kind: 'channel.close', channelId }))?.plan ?? {}
    expect(checks?.at(-1)).toMatchObject({ name: 'last claim', state: 'failed' })
    await payments.stop()
  })

  it('is not settled for that reason, whatever holds back the others', async () => {
    const { payments, redeemer, draft } = await failed()
    redeemer.cost = 1_000n
    await payments.redemption.check()
    const command = { kind: 'rewards.claim', channels: [channelId], force: true } as const
    expect(await draft(command)).toMatchObject({ reason: { code: 'PAYMENT_CLAIM_PAUSED' } })
    const small = { ...command, channels: [other.channelId], force: false }
    expect(await draft(small)).toMatchObject({ reason: { code: 'PAYMENT_CLAIM_TOO_SMALL' } })
    await payments.stop()
  })
})
