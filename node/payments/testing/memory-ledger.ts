import type { Hex } from '@postrider/protocol/wire'
import type { AccountRecord, ChargeRecord, Ledger, RedemptionRecord } from '../types.ts'

/** What a memory ledger holds. Handing it to a second one is the same as reopening a file. */
export type MemoryStorage = {
  accounts: Map<Hex, AccountRecord>
  charges: Map<string, ChargeRecord>
  redemptions: Map<string, RedemptionRecord>
}

export function createMemoryStorage(): MemoryStorage {
  return { accounts: new Map(), charges: new Map(), redemptions: new Map() }
}

/** The reference adapter: maps that are copied into and out of. For tests; nothing survives the process. */
export function createMemoryLedger(storage: MemoryStorage = createMemoryStorage()): Ledger {
  const { accounts, charges, redemptions } = storage
  return {
    account: async (channelId) => structuredClone(accounts.get(channelId)),

    async accounts({ after = '0x', limit }) {
      const ids = [...accounts.keys()].filter((id) => id > after).sort()
      return ids.slice(0, limit).flatMap((id) => structuredClone(accounts.get(id)) ?? [])
    },

    async charges(channelId, limit) {
      const own = [...charges.values()].filter((charge) => charge.channelId === channelId)
      return structuredClone(own.sort(byTime).slice(-limit))
    },

    async commit(entries) {
      const { accounts: changed, charges: added } = structuredClone(entries)
      for (const account of changed) accounts.set(account.channelId, account)
      for (const charge of added) charges.set(`${charge.channelId} ${charge.requestId}`, charge)
    },

    async pruneCharges(beforeMs) {
      const old = [...charges].filter(([, { createdMs }]) => createdMs < beforeMs)
      for (const [key] of old) charges.delete(key)
    },

    redemption: async (id) => structuredClone(redemptions.get(id)),

    async redemptions({ before, limit, states }) {
      const wanted = [...redemptions.values()].filter(
        ({ id, state }) => (before === undefined || id < before) && (!states || states.includes(state)),
      )
      return structuredClone(wanted.sort((a, b) => (a.id < b.id ? 1 : -1)).slice(0, limit))
    },

    async saveRedemption(redemption) {
      redemptions.set(redemption.id, structuredClone(redemption))
    },
  }
}

function byTime(a: ChargeRecord, b: ChargeRecord): number {
  return a.createdMs - b.createdMs || (a.requestId < b.requestId ? -1 : 1)
}
