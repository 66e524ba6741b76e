import { silentLogger } from '../../core/logger.ts'
import { createPayments, type RedemptionOptions } from '../../payments/index.ts'
import { createComponents, createRedeemer, DOMAIN, PAYEE, PRICES } from '../../payments/testing/kit.ts'
import { accountRecord } from '../../payments/testing/ledger-suite.ts'
import { createMemoryLedger } from '../../payments/testing/memory-ledger.ts'
import type { AccountRecord } from '../../payments/types.ts'

/** Payments that nobody connects to: what they know comes from their ledger. */
export async function createMoney(
  accounts: readonly AccountRecord[],
  redemption: Partial<RedemptionOptions> = {},
) {
  const ledger = createMemoryLedger()
  const components = createComponents(ledger)
  const { escrow } = components
  const redeemer = createRedeemer(escrow)
  for (const account of accounts) {
    const { channelId, descriptor, status, deposit, settled, closeAt } = account
    escrow.open({ channelId, descriptor } as Parameters<typeof escrow.open>[0], deposit)
    escrow.set(channelId, { status, settled, closeAt })
  }
  await ledger.commit({ accounts: [...accounts], charges: [] })
  const payments = createPayments(
    {
      ...components,
      redeemer,
      libp2p: { handle: async () => undefined, unhandle: async () => undefined } as never,
    },
    {
      domain: DOMAIN,
      payee: PAYEE,
      prices: PRICES,
      redemption: { mode: 'manual', gasMultiple: 1n, ...redemption },
    },
  )
  return { ...components, base: { ...components, logger: silentLogger }, redeemer, payments }
}

/** A channel whose client has paid so much. */
export function paidAccount(seed: number, paid: bigint, change: Partial<AccountRecord> = {}): AccountRecord {
  return accountRecord(seed, {
    cumulative: paid,
    deposit: 10_000n,
    signature: new Uint8Array(65).fill(27, 64),
    paidMs: 1_000 + seed,
    ...change,
  })
}
