import { PostriderError } from '@postrider/protocol/errors'
import type { Address, Hex } from '@postrider/protocol/wire'
import type { BlockRef, ChainReader, Holdings, MoneyOf, Movement } from '../chain/types.ts'
import { createMutex } from '../core/mutex.ts'
import { encodeRecord, getRecord, listRecords } from '../storage/records.ts'
import type { Storage, Write } from '../storage/types.ts'
import { compareHoldings, SENT_BY_PAYER, toEntries } from './statement.ts'
import type { LedgerDifference, LedgerEntry } from './types.ts'

const ROWS = 'wallet/ledger/'
const HEAD = 'wallet/ledger-head'

/** A movement as it is kept. */
export type Saved = Movement & { atMs: number; gas: bigint }

type Head = { number: bigint; hash: Hex }

/** What the chain says up to one block; nothing of it is kept while there are differences. */
export type Checked = { block: BlockRef; holdings: Holdings; differences: LedgerDifference[] }

/**
 * Every movement of this wallet's money, from the contracts' events. Before a reading is kept it is compared with what
 * the contracts hold at the same block, to the last unit, so that events that are left out, invented or given twice
 * change nothing. What a reorganisation took back goes, and the blocks in its place are read.
 */
export interface Ledger {
  /** As on disk: up to the last block that was read. */
  entries(): LedgerEntry[]
  /**
   * Reads up to the newest block.
   *
   * @throws PostriderError `CLIENT_CHAIN_UNAVAILABLE` (also for an endpoint that is behind what was read before)
   */
  sync(): Promise<Checked>
}

export type LedgerComponents = {
  storage: Storage
  reader: Pick<ChainReader, 'head' | 'block' | 'movements' | 'holdings' | 'gasPaid'>
}

export type LedgerOptions = {
  wallet: Address
  /** The block of the deployment. */
  firstBlock: bigint
  /** Channels and memberships that the client knows of, whatever the events show. */
  known(): Pick<MoneyOf, 'channels' | 'members'>
}

export async function openLedger(components: LedgerComponents, options: LedgerOptions): Promise<Ledger> {
  const { storage, reader } = components
  const turn = createMutex()
  let rows = (await listRecords<Saved>(storage, ROWS)).map(({ value }) => value)
  let last = await getRecord<Head>(storage, HEAD)

  /** The newest block that was read and is still there. */
  const findFork = async (head: BlockRef): Promise<bigint> => {
    if (last && last.number > head.number) throw behind(head, last)
    const seen = rows.map(({ block, blockHash }) => ({ number: block, hash: blockHash }))
    for (const { number, hash } of [...(last ? [last] : []), ...seen.reverse()]) {
      if ((await reader.block(number))?.hash === hash) return number
    }
    return options.firstBlock - 1n
  }
  const read = async (fork: bigint, head: BlockRef) => {
    const kept: readonly (Movement | Saved)[] = rows.filter(({ block }) => block <= fork)
    const known = options.known()
    const from = fork + 1n
    const fresh =
      from > head.number ? [] : await reader.movements(named(options, known, kept), from, head.number)
    const movements = withOperators([
      ...kept,
      ...fresh.filter(({ block }) => block >= from && block <= head.number),
    ])
    const holdings = await reader.holdings(named(options, known, movements), head.number)
    await assertStill(reader, head)
    return { block: head, holdings, movements, differences: compareHoldings(movements, holdings) }
  }
  const save = async (movements: readonly Movement[], head: BlockRef) => {
    const complete = await describe(reader, options.wallet, movements, rows)
    const keys = new Set(complete.map(keyOf))
    const before = new Set(rows)
    const writes: Write[] = [
      ...rows.filter((row) => !keys.has(keyOf(row))).map((row) => ({ key: keyOf(row), value: undefined })),
      ...complete
        .filter((row) => !before.has(row))
        .map((row) => ({ key: keyOf(row), value: encodeRecord(row) })),
      { key: HEAD, value: encodeRecord({ number: head.number, hash: head.hash }) },
    ]
    await storage.batch(writes)
    rows = complete
    last = head
  }
  return {
    entries: () => toEntries(rows),
    sync: () =>
      turn.run(async () => {
        const head = await reader.head()
        const fork = await findFork(head)
        let { movements, ...checked } = await read(fork, head)
        if (checked.differences.length > 0 && fork >= options.firstBlock) {
          // What was kept may be what is wrong.
          ;({ movements, ...checked } = await read(options.firstBlock - 1n, head))
        }
        if (checked.differences.length === 0) await save(movements, head)
        return checked
      }),
  }
}

function named(
  { wallet }: LedgerOptions,
  known: Pick<MoneyOf, 'channels' | 'members'>,
  movements: readonly Movement[],
): MoneyOf {
  const channels = new Set([...known.channels, ...movements.flatMap(({ channelId }) => channelId ?? [])])
  const members = new Set([...known.members, ...movements.flatMap(({ commitment }) => commitment ?? [])])
  return { wallet, channels: [...channels], members: [...members] }
}

/** Names the node of top-ups, whose events do not. */
function withOperators(movements: readonly (Movement | Saved)[]): (Movement | Saved)[] {
  const operators = new Map(
    movements.flatMap(({ channelId, operator }) => (operator ? [[channelId, operator]] : [])),
  )
  return movements.map((movement) => {
    const operator = operators.get(movement.channelId)
    return movement.operator || !operator ? movement : { ...movement, operator }
  })
}

/** Adds times, and what each transaction cost this wallet, to movements that are new. */
async function describe(
  reader: LedgerComponents['reader'],
  wallet: Address,
  movements: readonly (Movement | Saved)[],
  rows: readonly Saved[],
): Promise<Saved[]> {
  const known = new Map(rows.map((row) => [`${row.blockHash}${keyOf(row)}`, row]))
  const times = new Map<bigint, number>()
  const charged = new Set(rows.map(({ transaction, blockHash }) => transaction + blockHash))
  const complete: Saved[] = []
  for (const movement of movements) {
    const { block, blockHash, transaction, kind } = movement
    const saved = known.get(`${blockHash}${keyOf(movement)}`)
    if (saved) {
      complete.push(saved)
      continue
    }
    if (!times.has(block))
      times.set(block, (await mustStill(reader, { number: block, hash: blockHash })).atMs)
    const first = !charged.has(transaction + blockHash)
    charged.add(transaction + blockHash)
    const gas = first && SENT_BY_PAYER.has(kind) ? await reader.gasPaid(transaction, wallet) : 0n
    complete.push({ ...movement, atMs: times.get(block) ?? 0, gas })
  }
  return complete
}

const assertStill = async (reader: LedgerComponents['reader'], head: Head): Promise<void> =>
  void (await mustStill(reader, head))

/** The block, if it is still the same one. */
async function mustStill(reader: LedgerComponents['reader'], { number, hash }: Head): Promise<BlockRef> {
  const now = await reader.block(number)
  if (now?.hash === hash) return now
  throw new PostriderError('CLIENT_CHAIN_UNAVAILABLE', {
    detail: `block ${number} changed while it was read`,
    data: { block: number.toString() },
  })
}

function behind(head: BlockRef, last: Head): PostriderError {
  return new PostriderError('CLIENT_CHAIN_UNAVAILABLE', {
    detail: `the endpoint is behind: block ${head.number}, and ${last.number} was read before`,
    data: { block: head.number.toString(), read: last.number.toString() },
  })
}

const digits = (value: bigint | number, width: number): string => value.toString().padStart(width, '0')

/** Ascending keys are the chain's order. */
const keyOf = ({ block, log, part }: Movement): string =>
  `${ROWS}${digits(block, 16)}/${digits(log, 8)}/${part}`
