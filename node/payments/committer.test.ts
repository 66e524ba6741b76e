import { describe, expect, it } from 'vitest'
import { createMetrics } from '../core/metrics.ts'
import { createCommitter } from './committer.ts'
import { accountRecord, chargeRecord } from './testing/ledger-suite.ts'
import type { LedgerEntries } from './types.ts'

/** A ledger whose commits end when told. */
function setup() {
  const commits: { entries: LedgerEntries; resolve(): void; reject(error: Error): void }[] = []
  let failures = 0
  const committer = createCommitter({
    ledger: {
      commit: (entries) => new Promise((resolve, reject) => commits.push({ entries, resolve, reject })),
    },
    metrics: createMetrics(),
    onFailure: () => failures++,
  })
  const outcomes: string[] = []
  const write = (seed: number, spent: bigint) =>
    committer.write(accountRecord(seed, { spent }), chargeRecord(Number(spent))).then(
      () => outcomes.push(`${seed}:${spent}`),
      (error: Error) => outcomes.push(`${seed}:${spent} ${error.message}`),
    )
  return { committer, commits, outcomes, write, failures: () => failures }
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
const shape = ({ accounts, charges }: LedgerEntries) => [
  accounts.map(({ spent }) => spent),
  charges.map(({ requestId }) => requestId),
]

describe('group commit', () => {
  it('joins the writes of one turn, newest account and every charge', async () => {
    const { commits, outcomes, write } = setup()
    const writes = [write(1, 1n), write(1, 2n), write(2, 3n)]
    await turn()
    expect(commits.map(({ entries }) => shape(entries))).toEqual([
      [
        [2n, 3n],
        ['request 1', 'request 2', 'request 3'],
      ],
    ])
    expect(outcomes).toEqual([])
    commits[0]?.resolve()
    await Promise.all(writes)
    expect(outcomes).toEqual(['1:1', '1:2', '2:3'])
  })

  it('collects what comes during a commit for the next one', async () => {
    const { commits, outcomes, write, committer } = setup()
    void write(1, 1n)
    await turn()
    void write(1, 2n)
    void write(1, 3n)
    await turn()
    expect(commits).toHaveLength(1)
    commits[0]?.resolve()
    await turn()
    expect(outcomes).toEqual(['1:1'])
    expect(commits.map(({ entries }) => shape(entries)[0])).toEqual([[1n], [3n]])
    commits[1]?.resolve()
    await committer.settle()
    await turn()
    expect(outcomes).toEqual(['1:1', '1:2', '1:3'])
  })

  it('fails what waits together with the commit that failed, and tells once before anybody hears', async () => {
    const { commits, outcomes, write, failures } = setup()
    void write(1, 1n)
    await turn()
    void write(1, 2n)
    commits[0]?.reject(new RangeError('disk full'))
    await turn()
    expect(outcomes).toEqual(['1:1 disk full', '1:2 disk full'])
    expect(failures()).toBe(1)
    expect(commits).toHaveLength(1)
    void write(1, 1n)
    await turn()
    expect(commits).toHaveLength(2)
    commits[1]?.resolve()
    await turn()
    expect(outcomes.at(-1)).toBe('1:1')
  })

  it('starts a new round for a write made at the very end of one', async () => {
    const { commits, outcomes, write } = setup()
    const first = write(1, 1n).then(() => write(1, 2n))
    await turn()
    commits[0]?.resolve()
    await turn()
    commits[1]?.resolve()
    await first
    expect(outcomes).toEqual(['1:1', '1:2'])
  })

  it('settles at once when nothing waits', async () => {
    await setup().committer.settle()
  })
})
