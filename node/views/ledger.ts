import type { LedgerEntry, PaymentsView } from '../api/types.ts'
import type { Settlement } from '../chain/settlements.ts'
import type { Slashing } from '../chain/slashings.ts'
import { pageOfSorted } from './sorted-page.ts'
import type { NodeParts } from './types.ts'

type LedgerParts = { chain: Pick<NodeParts['chain'], 'settlements' | 'slashings' | 'sender'> }

/** A movement before its running balance; `sign` is what it does to the balance. */
type Movement = Omit<LedgerEntry, 'balance'> & { sign: 1n | -1n }

/** Digits of a block number and of a log's index in an entry's id: more than any chain will need. */
const BLOCK_DIGITS = 12
const LOG_DIGITS = 6

/** The node's book as the chain confirms it: what was settled, what of it was burnt, what slashing brought. */
export function createLedgerList({ chain }: LedgerParts): PaymentsView['ledger'] {
  const { settlements, slashings, sender } = chain
  let entries: readonly LedgerEntry[] = []
  let builtFrom: readonly unknown[] = []

  const current = (): readonly LedgerEntry[] => {
    const sources = [settlements.all(), slashings.all()] as const
    if (sources.some((source, at) => source !== builtFrom[at])) {
      entries = ledgerEntries(...sources, sender.address)
      builtFrom = sources
    }
    return entries
  }

  return (page) => pageOfSorted(current(), ({ id }) => id, page)
}

/** Every movement with the balance after it, oldest first. @param account who is paid for slashings */
export function ledgerEntries(
  settlements: readonly Settlement[],
  slashings: readonly Slashing[],
  account: string,
): LedgerEntry[] {
  const movements = [
    ...settlements.flatMap(ofSettlement),
    ...slashings.filter(({ receiver }) => sameAddress(receiver, account)).map(ofSlashing),
  ].sort((a, b) => (a.id < b.id ? -1 : 1))
  let balance = 0n
  return movements.map(({ sign, ...movement }) => {
    balance += sign * movement.amount
    return { ...movement, balance }
  })
}

function ofSettlement(settlement: Settlement): Movement[] {
  const { channelId, amount, burnt } = settlement
  const redeemed: Movement = {
    ...placeOf(settlement, 0),
    kind: 'redeemed',
    amount,
    sign: 1n,
    channelId,
  }
  if (burnt === 0n) return [redeemed]
  return [redeemed, { ...placeOf(settlement, 1), kind: 'burnt', amount: burnt, sign: -1n, channelId }]
}

function ofSlashing(slashing: Slashing): Movement {
  const place = placeOf(slashing, 0)
  return { ...place, kind: 'slash-reward', amount: slashing.reward, sign: 1n, channelId: null }
}

type Place = Pick<Settlement, 'blockNumber' | 'logIndex' | 'timestamp' | 'txHash'>

/** Where an entry is in the book; ids sort as the chain does. */
function placeOf({ blockNumber, logIndex, timestamp, txHash }: Place, part: number) {
  const block = String(blockNumber).padStart(BLOCK_DIGITS, '0')
  const log = String(logIndex).padStart(LOG_DIGITS, '0')
  return {
    id: `${block}-${log}-${part}`,
    at: timestamp * 1000,
    transaction: txHash,
    block: BigInt(blockNumber),
  }
}

/** Whether two accounts are one, whatever their letters' case. */
export function sameAddress(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase()
}
