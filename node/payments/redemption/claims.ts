import { NO_TICKS } from '@postrider/protocol/payment'
import { recordPaid } from '../account.ts'
import type { AccountRecord, BatchResult, Claim, Ledger, RedemptionItem, RedemptionRecord } from '../types.ts'

/** The claim of an account: its newest voucher with the newest tick; undefined before the first voucher. */
export function toClaim(account: AccountRecord): Claim | undefined {
  const { channelId, descriptor, cumulative, tickAnchor, tickValue, signature, ticks, tickPreimage } = account
  if (!signature) return undefined
  return {
    channelId,
    descriptor,
    cumulative,
    tickAnchor,
    tickValue,
    signature,
    tickCount: ticks,
    tickPreimage: tickPreimage ?? NO_TICKS,
  }
}

/** All zero in the contract's form of a signature, r and s with the parity of v. */
const NO_SIGNATURE = new Uint8Array(65).fill(27, 64)

/** Ends a channel without claiming anything. */
function noClaim({ channelId, descriptor }: AccountRecord): Claim {
  return {
    channelId,
    descriptor,
    cumulative: 0n,
    tickAnchor: NO_TICKS,
    tickValue: 0n,
    signature: NO_SIGNATURE,
    tickCount: 0,
    tickPreimage: NO_TICKS,
  }
}

/**
 * Reads the claims of a redemption from the ledger as they are now: what was paid since it was planned is
 * claimed with it. Items are updated to what is claimed.
 */
export async function loadClaims(
  ledger: Pick<Ledger, 'account'>,
  redemption: RedemptionRecord,
): Promise<{ claims: Claim[]; redemption: RedemptionRecord }> {
  const claims: Claim[] = []
  const items: RedemptionItem[] = []
  for (const item of redemption.items) {
    const account = await ledger.account(item.channelId)
    const claim = account && (toClaim(account) ?? (redemption.closes ? noClaim(account) : undefined))
    if (!account || !claim) continue
    const total = recordPaid(account)
    claims.push(claim)
    items.push({ ...item, total, amount: total > account.settled ? total - account.settled : 0n })
  }
  return { claims, redemption: { ...redemption, items } }
}

/** The redemption after its transaction ended. */
export function withResult(
  redemption: RedemptionRecord,
  result: BatchResult,
  nowMs: number,
): RedemptionRecord {
  if (result.status === 'reverted') {
    const { reason, txHash } = result
    const items = redemption.items.map((item) => ({ ...item, status: 'failed' as const, reason }))
    return { ...redemption, state: 'failed', items, txHash, reason, updatedMs: nowMs }
  }
  const items = redemption.items.map((item) => withItemResult(item, result.results))
  return { ...redemption, state: 'done', items, txHash: result.txHash, updatedMs: nowMs }
}

function withItemResult(
  item: RedemptionItem,
  results: Extract<BatchResult, { status: 'mined' }>['results'],
): RedemptionItem {
  const result = results.get(item.channelId)
  if (!result) return { ...item, status: 'failed', reason: 'NotInReceipt' }
  if (result.status === 'skipped') return { ...item, status: 'skipped', amount: 0n, reason: result.reason }
  return { ...item, status: 'settled', total: result.settled, amount: result.amount }
}

/** A new id: sorts by time of creation, and ends in a name that no other redemption has. */
export function redemptionId(nowMs: number, name: string): string {
  return `r${String(nowMs).padStart(14, '0')}-${name}`
}
