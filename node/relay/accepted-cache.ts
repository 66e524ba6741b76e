/** An accepted message, kept in case its member breaks the limit. */
export type CachedMessage = { data: Uint8Array; peer: string; epoch: bigint }

/** Accepted messages by the id that the validator gave them, oldest out first. */
export type AcceptedCache = {
  put(id: string, message: CachedMessage): void
  get(id: string): CachedMessage | undefined
  /** Forgets messages of epochs before `epoch`. */
  pruneBefore(epoch: bigint): void
  bytes(): number
}

export function createAcceptedCache(maxBytes: number): AcceptedCache {
  const messages = new Map<string, CachedMessage>()
  let bytes = 0

  const removeOldestWhile = (isDue: (oldest: CachedMessage) => boolean) => {
    for (const [id, message] of messages) {
      if (!isDue(message)) return
      messages.delete(id)
      bytes -= message.data.length
    }
  }

  return {
    put(id, message) {
      messages.set(id, message)
      bytes += message.data.length
      removeOldestWhile(() => bytes > maxBytes)
    },
    get: (id) => messages.get(id),
    // Epochs arrive nearly in order: one message of a new epoch may hide older ones behind it for a moment only.
    pruneBefore: (epoch) => removeOldestWhile((oldest) => oldest.epoch < epoch),
    bytes: () => bytes,
  }
}
