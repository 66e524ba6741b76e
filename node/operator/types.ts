import type { Config } from '../core/config/index.ts'
import type { ChainReader } from './chain-reader.ts'

/** What a plan is made from that needs the chain alone. */
export type ChainPlanContext = {
  chain: ChainReader
  /** The operator's hot account, with its checksum. */
  account: `0x${string}`
}

/** What a plan is made from. Nothing here is unlocked. */
export type PlanContext = ChainPlanContext & {
  config: Config
  /** The raw public key behind the peer id. @throws PostriderError `KEYS_FILE_MISSING`, `RELAY_IDENTITY_INVALID` */
  peerKey(): Promise<`0x${string}`>
}
