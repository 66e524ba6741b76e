/** One part of an atomic write: a record (deleted when `value` is undefined), or one more record of a log. */
export type Write = { key: string; value: Uint8Array | undefined } | { log: string; value: Uint8Array }

/**
 * Where a client keeps what it must not forget. One client uses one storage: an adapter holds a lock for as long
 * as it is open, because two writers would use one message id twice.
 *
 * Every write is **durable when its promise resolves**: it survives a crash of the process and of the machine.
 * Writes take effect in the order of the calls, also when they are not awaited in between.
 */
export interface Storage {
  get(key: string): Promise<Uint8Array | undefined>
  put(key: string, value: Uint8Array): Promise<void>
  /** All of the writes or none of them. */
  batch(writes: readonly Write[]): Promise<void>
  delete(key: string): Promise<void>
  /** The records whose key starts with `prefix`, in ascending order of the key's UTF-8 bytes. */
  list(prefix: string): Promise<{ key: string; value: Uint8Array }[]>
  /** Adds a record at the end of a log and returns its number, from 1 upwards without gaps. */
  append(log: string, value: Uint8Array): Promise<number>
  /** Records of a log with a number above `after`, oldest first, at most `limit`. */
  read(log: string, after: number, limit: number): Promise<{ number: number; value: Uint8Array }[]>
  /** Finishes the writes under way and gives the lock back. */
  close(): Promise<void>
}
