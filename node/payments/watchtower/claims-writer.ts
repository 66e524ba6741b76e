import { isPostriderError } from '@postrider/protocol/errors'
import type { PaymentDomain } from '@postrider/protocol/payment'
import type { Hex } from '@postrider/protocol/wire'
import type { Clock, Timer } from '../../core/clock.ts'
import { writeFileAtomic } from '../../core/files.ts'
import type { Logger } from '../../core/logger.ts'
import type { Metrics } from '../../core/metrics.ts'
import { recordPaid } from '../account.ts'
import type { AccountBook } from '../book.ts'
import { CLAIMS_FILE_INTERVAL_MS, LEDGER_PAGE } from '../constants.ts'
import { toClaim } from '../redemption/claims.ts'
import type { Claim, Ledger } from '../types.ts'
import { encodeClaims } from './claims-file.ts'

export type ClaimsWriterComponents = {
  ledger: Pick<Ledger, 'accounts'>
  book: Pick<AccountBook, 'subscribe'>
  clock: Clock
  logger: Logger
  metrics: Metrics
}

export type ClaimsWriterOptions = { path: string; domain: PaymentDomain; payee: Hex }

/** Keeps a file of the newest claims for a watchtower; what came in its last interval is not in it yet. */
export type ClaimsWriter = {
  start(): Promise<void>
  /** Writes once more. */
  stop(): Promise<void>
}

export function createClaimsWriter(
  components: ClaimsWriterComponents,
  { path, domain, payee }: ClaimsWriterOptions,
): ClaimsWriter {
  const { ledger, book, clock, logger, metrics } = components
  let changed = true
  let timer: Timer | undefined
  let unsubscribe: (() => void) | undefined

  const write = async (): Promise<void> => {
    if (!changed) return
    changed = false
    try {
      const claims = await openClaims(ledger)
      await writeFileAtomic(path, encodeClaims({ payee, savedMs: clock.nowMs(), claims }, domain))
    } catch (err) {
      changed = true
      if (isPostriderError(err)) metrics.error(err.code)
      logger.error({ err, path }, 'claims for the watchtower not written, trying again')
    }
  }

  return {
    async start() {
      unsubscribe = book.subscribe((_, cause) => {
        if (cause !== 'charge') changed = true
      })
      await write()
      timer = clock.every(CLAIMS_FILE_INTERVAL_MS, write)
    },
    async stop() {
      timer?.stop()
      unsubscribe?.()
      await write()
    },
  }
}

/** Claims of all channels that live and owe something. */
async function openClaims(ledger: Pick<Ledger, 'accounts'>): Promise<Claim[]> {
  const claims: Claim[] = []
  for (let after: Hex | undefined; ; ) {
    const page = await ledger.accounts({ limit: LEDGER_PAGE, ...(after ? { after } : {}) })
    for (const account of page) {
      const claim = toClaim(account)
      if (claim && account.status !== 'closed' && recordPaid(account) > account.settled) claims.push(claim)
    }
    after = page.at(-1)?.channelId
    if (page.length < LEDGER_PAGE) return claims
  }
}
