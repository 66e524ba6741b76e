import { isPostriderError, PostriderError } from '@postrider/protocol/errors'
import { decodeCursor, encodeCursor } from '../api/index.ts'
import type { Action, ActionKind, Actions, Command, Redemption } from '../api/types.ts'
import type { StoredTransaction } from '../chain/transaction-store.ts'
import { createChainReader } from '../operator/chain-reader.ts'
import { anyFailed } from '../operator/checks.ts'
import { type ActionRecord, transactionKey } from '../operator/index.ts'
import { type PricedPlan, type Pricing, pricePlan } from '../operator/plan.ts'
import { counted, post } from '../operator/text.ts'
import type { RedemptionRecord } from '../payments/index.ts'
import { draftOf, toActionPlan, toRedeemRequest } from './commands.ts'
import { MAX_REDEMPTIONS_SEARCHED } from './constants.ts'
import { reasonOf } from './reasons.ts'
import type { Redemptions } from './redemptions.ts'
import type { NodeParts } from './types.ts'

export type ActionsParts = {
  actions: Pick<NodeParts['actions'], 'begin' | 'find' | 'get' | 'page'>
  config: { chain: Pick<NodeParts['config']['chain'], 'maxFeePerGas'> }
  chain: Pick<NodeParts['chain'], 'client' | 'transactions'> & {
    sender: Pick<NodeParts['chain']['sender'], 'address' | 'quote' | 'balance'>
  }
  payments: Pick<
    NodeParts['payments'],
    'channel' | 'claimThreshold' | 'figures' | 'findRedemption' | 'redemptions' | 'redemption'
  >
}

/** Between plan and act the node itself claimed what was to be claimed. */
const TAKEN_MEANWHILE = reasonOf('PAYMENT_CLAIM_IN_FLIGHT')

/** A redemption in these states is under way or has ended; before, it is a proposal. */
const BEGUN = ['approved', 'done', 'failed'] as const

export function createActions(parts: ActionsParts, redemptions: Pick<Redemptions, 'get' | 'show'>): Actions {
  const { actions, chain, payments } = parts
  const { sender, transactions } = chain
  const reader = createChainReader(chain.client, parts.config.chain.maxFeePerGas)
  const context = { chain: reader, account: sender.address }
  const pricing: Pricing = {
    account: sender.address,
    quote: (call) => sender.quote({ ...call, key: '' }),
    feePerGas: reader.feePerGas,
    balance: sender.balance,
  }

  const price = async (command: Command) => {
    const draft = await draftOf(command, { context, payments })
    return draft && { draft, plan: await pricePlan(draft.plan, pricing) }
  }

  const show = async (record: ActionRecord): Promise<Action> => {
    const keys = record.steps.map((_, step) => transactionKey(record.id, step))
    return toAction(record, await Promise.all(keys.map(transactions.get)))
  }

  const showRedemption = async (record: RedemptionRecord): Promise<Action> =>
    fromRedemption(await redemptions.show(record))

  /** Hands claims to the payment engine, which keeps what it sends by itself, under a name made of the request. */
  const redeem = async (
    request: string,
    command: Extract<Command, { kind: 'channel.close' } | { kind: 'rewards.claim' }>,
  ): Promise<Action | undefined> => {
    const sent =
      'redemption' in command
        ? await payments.redemption.approve(command.redemption)
        : await payments.redemption.redeem({ ...toRedeemRequest(command), name: nameOf(request) })
    return sent && showRedemption(sent)
  }

  /** What a request began before its answer was kept: by an action or by a redemption. */
  const findBegun = async (request: string, command: Command): Promise<Action | undefined> => {
    const known = await actions.find(request)
    if (known) return show(known)
    if ('redemption' in command) return getRedemption(command.redemption)
    const newest = await payments.redemptions({ limit: MAX_REDEMPTIONS_SEARCHED })
    const named = newest.find(({ id }) => id.endsWith(nameOf(request)))
    return named && showRedemption(named)
  }

  const getRedemption = async (id: string): Promise<Action | undefined> => {
    const found = await redemptions.get(id)
    return found && isBegun(found) ? fromRedemption(found) : undefined
  }

  return {
    plan: async (command) => {
      const priced = await price(command)
      return priced && toActionPlan(command.kind, priced.draft, priced.plan)
    },
    async begin(request, command) {
      const begun = await findBegun(request, command)
      if (begun) return begun
      const priced = await price(command)
      if (!priced) return undefined
      const { draft, plan } = priced
      refuseFailed(plan)
      const nothing = toActionPlan(command.kind, draft, plan)
      if (plan.steps.length === 0) return nothing
      if (command.kind === 'channel.close' || command.kind === 'rewards.claim') {
        return (await redeem(request, command)) ?? { ...nothing, wouldSend: false, reason: TAKEN_MEANWHILE }
      }
      return show(await actions.begin(request, command.kind, plan))
    },
    async list({ cursor, limit }) {
      const after = cursor === undefined ? undefined : decodeCursor(cursor)
      const page = (prefix: string) => ({
        limit: limit + 1,
        ...(after !== undefined && { before: `${prefix}${after}` }),
      })
      const own = await actions.page(page('a'))
      const claims = await payments.redemptions({ ...page('r'), states: BEGUN })
      const both = [...own.map(show), ...claims.map(showRedemption)]
      const all = (await Promise.all(both)).sort((a, b) => (ageKey(a) < ageKey(b) ? 1 : -1))
      const items = all.slice(0, limit)
      const last = items.at(-1)
      return { items, nextCursor: last && all.length > limit ? encodeCursor(ageKey(last)) : null }
    },
    async get(id) {
      const record = await actions.get(id)
      return record ? show(record) : getRedemption(id)
    },
    reject: (id, reason) =>
      ifKnown(async () => redemptions.show(await payments.redemption.reject(id, reason))),
  }
}

const NAME_CHARS = 16

/** The end of the id of a redemption that a request began. */
const nameOf = (request: string): string => request.slice(0, NAME_CHARS)

/** Ids of actions and of redemptions are a letter and the time of creation. */
const ageKey = ({ id }: Action): string => id.slice(1)

function refuseFailed({ checks }: PricedPlan): void {
  if (!anyFailed(checks)) return
  const failures = checks.filter(({ state }) => state === 'failed')
  throw new PostriderError('API_ACTION_REFUSED', {
    detail: failures.map(({ name, reason }) => `${name}: ${reason}`).join('; '),
    data: { checks },
  })
}

async function ifKnown<T>(act: () => Promise<T>): Promise<T | undefined> {
  try {
    return await act()
  } catch (error) {
    if (isPostriderError(error) && error.code === 'PAYMENT_REDEMPTION_UNKNOWN') return undefined
    throw error
  }
}

type Transaction = Action['transactions'][number]

/** An action with what became of its transactions, step by step. */
export function toAction(
  { id, kind, state, steps, effects, failure, createdMs }: ActionRecord,
  transactions: readonly (StoredTransaction | undefined)[],
): Action {
  const isOut = transactions.some((transaction) => transaction !== undefined)
  return {
    id,
    kind: kind as ActionKind,
    state: state === 'accepted' && isOut ? 'sent' : state,
    createdAt: createdMs,
    effects: [...effects],
    transactions: steps.map(({ label }, step) => toTransaction(label, transactions[step])),
    redemption: null,
    reason: failure ?? null,
  }
}

function toTransaction(label: string, stored: StoredTransaction | undefined): Transaction {
  if (!stored) return { label, hash: null, state: 'waiting', block: null, fee: null }
  const { txHash, attempts, status, blockNumber, gasUsed, gasPrice } = stored
  return {
    label,
    hash: txHash ?? attempts.at(-1)?.hash ?? null,
    state: status,
    block: blockNumber === undefined ? null : BigInt(blockNumber),
    fee: gasUsed === undefined || gasPrice === undefined ? null : gasUsed * gasPrice,
  }
}

const isBegun = ({ state }: Redemption): boolean => state !== 'proposed' && state !== 'rejected'

const ACTION_STATES = { approved: 'accepted', sent: 'sent', confirmed: 'done', failed: 'failed' } as const
const TRANSACTION_STATES = {
  approved: 'waiting',
  sent: 'sent',
  confirmed: 'done',
  failed: 'reverted',
} as const

/** A redemption that has begun, as an action: it is the same thing under the same id. */
export function fromRedemption(redemption: Redemption): Action {
  const { id, createdAt, channels, amount, closes, fee, transaction, block, reason } = redemption
  const state = redemption.state as keyof typeof ACTION_STATES
  const ended = state === 'confirmed' || state === 'failed'
  return {
    id,
    kind: closes ? 'channel.close' : 'rewards.claim',
    state: ACTION_STATES[state],
    createdAt,
    effects: [
      `${post(amount)} are settled, less the share that the contract burns`,
      ...(closes ? ['the channel ends'] : []),
    ],
    transactions: [
      {
        label: `${closes ? 'close' : 'settle'} ${counted(channels.length, 'channel')}`,
        hash: transaction,
        state: TRANSACTION_STATES[state],
        block,
        fee: ended ? fee : null,
      },
    ],
    redemption: id,
    reason,
  }
}
