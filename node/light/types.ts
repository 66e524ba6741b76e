import type { Verdict } from '@postrider/protocol/rln'
import type { WakuMessage } from '@postrider/protocol/wire'

/** The relay's only way in. */
export type RelaySubmit = {
  /** Never rejects. */
  submit(
    pubsubTopic: string,
    data: Uint8Array,
    source: { via: 'lightpush'; peer: string },
  ): Promise<{ verdict: Verdict; relayPeers: number }>
}

/** Charges a client before it is served. The same request is charged once. */
export type PaymentGate = {
  /**
   * @param charge.content what the request is about: the same id with other content is another request, or one
   *   payment would buy any number of messages
   * @returns ok with what was charged (base units), or the total that the account's payments must reach
   * @throws PostriderError when it cannot say; nothing is charged then
   */
  charge(charge: {
    peer: string
    requestId: string
    service: 'publish' | 'push'
    content?: Uint8Array
  }): Promise<{ ok: true; charged: bigint; free: boolean } | { ok: false; total: bigint }>
}

/** Attaches a proof of the node's own membership to a message that has none. */
export type NodeProver = {
  /** @throws PostriderError `RLN_IDS_EXHAUSTED` and others when it cannot now */
  attach(pubsubTopic: string, message: WakuMessage): Promise<WakuMessage>
}

/** What the relay hands to the filter for each accepted message. */
export type FilterEntry = { pubsubTopic: string; message: WakuMessage; hash: Uint8Array; data: Uint8Array }

/** The contract's member changes, as far as the node has followed the chain. */
export type MembershipChanges = {
  /** How many there are, and the last block looked at; undefined before the first. */
  head(): { count: number; block: number | undefined }
  /** Encoded changes from the `from`-th on, at most `limit`. */
  read(from: number, limit: number): Uint8Array
}
