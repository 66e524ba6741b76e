// No float touches money. In the code that handles amounts, everything that can make a number of a bigint, or a fraction
// of a number, must be one of the uses listed here with its reason; and no field or parameter that names an amount may be a
// number. `npm run check` runs it.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** What handles amounts: folders, and single files of folders that do much else. */
const GUARDED = [
  'protocol/payment',
  'node/payments',
  'client/wallet',
  'client/chain/history.ts',
  'client/chain/movements.ts',
  'client/chain/sender.ts',
  'node/chain/channel-reader.ts',
  'node/chain/channels.ts',
  'node/chain/redeemer.ts',
  'node/chain/settlements.ts',
  'node/cli/amounts.ts',
  'node/core/db/amounts.ts',
  'node/operator/amounts.ts',
  'node/operator/channel-plans.ts',
  'node/operator/plan.ts',
  'node/views/actions.ts',
  'node/views/channels.ts',
  'node/views/commands.ts',
  'node/views/ledger.ts',
  'node/views/payments.ts',
  'node/views/redemptions.ts',
  'node/views/rewards.ts',
]
const NOT_SHIPPED = /\.test\.ts$|\/testing\//

/** From bigint to number, and arithmetic that rounds. */
const CONVERSIONS =
  /\bNumber\s*\(|\bparseFloat\b|\bparseInt\b|\bMath\.\w+|\.toFixed\b|\.toPrecision\b|\.valueOf\(|BigInt\.as\w+|(?<![\w.])\d+\.\d+|(?<![\w.])\d+e-?\d+/g

/** A name that stands for money, declared as a number. */
const AMOUNTS =
  /\b\w*(?:amount|deposit|settled|spent|paid|cumulative|price|total|earned|owed|owing|pending|redeemed|lost|refund|burnt|tickValue|balance|budget|unpaidLimit)\b\??:\s*(?:readonly\s+)?number\b/gi

/** Uses that concern no amount, by file; each is a part of its line. */
const ALLOWED: Record<string, readonly [code: string, reason: string][]> = {
  'protocol/payment/frames.ts': [
    ['chainId: Number(wire.chainId)', 'a chain id, checked to be a safe integer'],
  ],
  'node/payments/index.ts': [
    [
      'Number(amount / 10n ** 12n) / 1e6',
      'a gauge: Prometheus knows only floats, and its help says that it rounds',
    ],
  ],
  'node/payments/account-cache.ts': [['pending: number', 'writes under way']],
  'node/payments/gate.ts': [
    ['Math.floor(clock.nowMs()', 'the number of an epoch'],
    ['export type Counts', 'counts of requests'],
  ],
  'node/payments/redemption/plan.ts': [
    ['Math.min(Math.max(worth.length', 'the size of a batch'],
    ['Math.min(maxClaims, MAX_BATCH_CLAIMS)', 'the size of a batch'],
  ],
  'node/payments/redemption/daemon.ts': [['Math.min(maxBatchClaims', 'the size of a batch']],
  'node/payments/redemption/positions.ts': [['Math.min(CLAIM_RETRY_MS', 'a pause in ms']],
  'node/payments/ledger/prisma.ts': [['Ms: ', 'times in Unix ms']],
  'node/payments/watchtower/watchtower.ts': [
    ['Math.min(graceSeconds, Math.floor((closeAt', 'times in seconds'],
    ['export type Watch', 'counts of channels'],
  ],
  'client/chain/history.ts': [
    ['Number(found.timestamp) * 1000', 'Unix ms'],
    ['Math.ceil(ids.length', 'a count of requests'],
  ],
  'client/chain/movements.ts': [['log: Number(logIndex)', 'a position in a block']],
  'client/wallet/bind.ts': [['Math.min(2 * pauseMs', 'a pause in ms']],
  'client/wallet/session.ts': [['Math.min(maxTicks, MAX_TICKS)', 'a count of ticks']],
  'client/wallet/channel-opening.ts': [
    ['Math.max(-1, ...earlier.map(({ number })', 'the number of a channel'],
  ],
  'client/wallet/channels.ts': [['const pauseMs = Math.min(', 'a pause in ms']],
  'client/wallet/promised.ts': [
    ['Math.min(maxTicks, MAX_TICKS)', 'a count of ticks'],
    ['ticks: Number(ticks)', 'a count of ticks, at most 64'],
  ],
  'node/chain/redeemer.ts': [['Math.max(1, batchSize)', 'the size of a batch']],
  'node/chain/channel-reader.ts': [
    ['Number(number))', 'the number of a block'],
    ['closeAt: Number(closeAt)', 'Unix seconds'],
    ['timestamp: Number(timestamp)', 'Unix seconds'],
  ],
}

/** Every use in a source text that is not allowed: `line: what`. */
export function moneyProblems(file: string, source: string): string[] {
  const allowed = ALLOWED[file] ?? []
  const problems: string[] = []
  for (const [index, line] of withoutComments(source).split('\n').entries()) {
    if (allowed.some(([code]) => line.includes(code))) continue
    const found = [...line.matchAll(CONVERSIONS), ...line.matchAll(AMOUNTS)]
    for (const [what] of found) problems.push(`${file}:${index + 1}: ${what.trim()}`)
  }
  return problems
}

/** Reasons that excuse nothing any more. */
export function staleReasons(read: (file: string) => string): string[] {
  return Object.entries(ALLOWED).flatMap(([file, uses]) =>
    uses.filter(([code]) => !read(file).includes(code)).map(([code]) => `${file}: no longer there: ${code}`),
  )
}

/** The source with comments and texts blanked, line by line as before. */
function withoutComments(source: string): string {
  const blank = (text: string) => text.replaceAll(/[^\n]/g, ' ')
  return source.replaceAll(/\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:[^'\\\n]|\\.)*'/g, blank)
}

function guardedFiles(): string[] {
  return GUARDED.flatMap((path) =>
    path.endsWith('.ts')
      ? [path]
      : readdirSync(join(ROOT, path), { recursive: true, encoding: 'utf8' }).map((name) => `${path}/${name}`),
  ).filter((file) => file.endsWith('.ts') && !NOT_SHIPPED.test(file))
}

if (import.meta.main) {
  const read = (file: string) => readFileSync(join(ROOT, file), 'utf8')
  const files = guardedFiles()
  const problems = [...files.flatMap((file) => moneyProblems(file, read(file))), ...staleReasons(read)]
  process.stdout.write(problems.map((problem) => `${problem}\n`).join(''))
  process.stdout.write(`${files.length} files\n`)
  process.exitCode = problems.length === 0 ? 0 : 1
}
