// What the crashing client and its test agree on.

/** Where the client dies; `none` lets it live. */
export type CrashPoint = 'writing' | 'allocated' | 'proving' | 'proved' | 'relayed' | 'none'

export type Note =
  | { event: 'started'; epoch: string; used: number }
  /** The id is on disk as used. */
  | { event: 'allocated'; epoch: string; messageId: number }
  /** The id goes into a proof. The scope is the external nullifier. */
  | { event: 'proving'; scope: string; messageId: number }
  | { event: 'published'; text: string }
  /** Differences between the client's ledger, its records and the contracts; what it promised, base units. */
  | { event: 'reconciled'; differences: number; promised: string; deposited: string }
