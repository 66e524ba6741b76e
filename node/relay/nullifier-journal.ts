import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { bigIntToBytes, bytesToBigInt, concatBytes, equalBytes } from '@postrider/protocol/wire'
import { PRIVATE_DIR_MODE, PRIVATE_FILE_MODE } from '../core/files.ts'
import type { Logger } from '../core/logger.ts'
import type { Metrics } from '../core/metrics.ts'
import type { SlotKey } from './nullifier-log.ts'

/** An accepted message as the journal keeps it: its place, its share, and the hash under which the archive has it. */
export type JournalEntry = SlotKey & { x: bigint; y: bigint; hash: Uint8Array }

/**
 * The nullifiers of accepted messages on disk, so that a restart forgets none. What `append` was given survives the
 * end of the process at any moment; a crash of the whole machine may cost the newest entries.
 */
export type NullifierJournal = {
  /** Every entry from `epoch` on, in order. Throws nothing: a file that cannot be read counts as empty. */
  load(epoch: bigint): JournalEntry[]
  /** Written when it returns. A disk that fails is counted and logged; the message is accepted all the same. */
  append(entry: JournalEntry): void
  /** The hash of the message that was accepted under a nullifier. */
  find(key: SlotKey): Promise<Uint8Array | undefined>
  /** Removes the epochs before `epoch`. */
  pruneBefore(epoch: bigint): void
  close(): void
}

const FIELD_BYTES = 32
/** External nullifier, nullifier, x, y, message hash. The epoch is the file's name. */
const ENTRY_BYTES = 5 * FIELD_BYTES
const FILE_NAME = /^(\d{1,20})\.nullifiers$/

type Components = { logger: Logger; metrics: Metrics }

/** A journal of one file for each epoch, in a folder of its own. Nothing is touched before the first call. */
export function createNullifierJournal({ logger, metrics }: Components, dir: string): NullifierJournal {
  const files = new Map<bigint, number>()
  const failures = metrics.counter('relay_journal_failures_total', {
    help: 'Accepted nullifiers that could not be written to disk',
  })
  let failing = false

  const pathOf = (epoch: bigint) => join(dir, `${epoch}.nullifiers`)

  const epochs = (): bigint[] => {
    const names = existsSync(dir) ? readdirSync(dir) : []
    return names.flatMap((name) => FILE_NAME.exec(name)?.[1] ?? []).map(BigInt)
  }

  const open = (epoch: bigint): number => {
    let file = files.get(epoch)
    if (file === undefined) {
      mkdirSync(dir, { recursive: true, mode: PRIVATE_DIR_MODE })
      file = openSync(pathOf(epoch), 'a', PRIVATE_FILE_MODE)
      files.set(epoch, file)
    }
    return file
  }

  const close = (epoch: bigint): void => {
    const file = files.get(epoch)
    files.delete(epoch)
    if (file !== undefined) closeSync(file)
  }

  const attempt = <T>(what: string, run: () => T): T | undefined => {
    try {
      const result = run()
      failing = false
      return result
    } catch (err) {
      if (!failing) logger.error({ err, dir }, `nullifier journal: ${what} failed`)
      failing = true
      return undefined
    }
  }

  return {
    load(from) {
      const wanted = attempt('listing', epochs)?.filter((epoch) => epoch >= from) ?? []
      return wanted.flatMap((epoch) => attempt('reading', () => readEpoch(pathOf(epoch), epoch)) ?? [])
    },
    append(entry) {
      const written = attempt('writing', () => writeSync(open(entry.epoch), encodeEntry(entry)))
      if (written === ENTRY_BYTES) return
      failures.inc()
      attempt('repairing', () => {
        close(entry.epoch)
        removeTail(pathOf(entry.epoch))
      })
    },
    async find({ epoch, externalNullifier, nullifier }) {
      const bytes = await readFile(pathOf(epoch)).catch(() => Buffer.alloc(0))
      const wanted = concatBytes(
        bigIntToBytes(externalNullifier, FIELD_BYTES),
        bigIntToBytes(nullifier, FIELD_BYTES),
      )
      for (let at = 0; at + ENTRY_BYTES <= bytes.length; at += ENTRY_BYTES) {
        if (equalBytes(bytes.subarray(at, at + wanted.length), wanted))
          return new Uint8Array(bytes.subarray(at + ENTRY_BYTES - FIELD_BYTES, at + ENTRY_BYTES))
      }
      return undefined
    },
    pruneBefore(before) {
      attempt('removing', () => {
        for (const epoch of epochs()) {
          if (epoch >= before) continue
          close(epoch)
          rmSync(pathOf(epoch), { force: true })
        }
      })
    },
    close() {
      for (const epoch of [...files.keys()]) attempt('closing', () => close(epoch))
    },
  }
}

function encodeEntry({ externalNullifier, nullifier, x, y, hash }: JournalEntry): Uint8Array {
  const fields = [externalNullifier, nullifier, x, y].map((field) => bigIntToBytes(field, FIELD_BYTES))
  return concatBytes(...fields, hash)
}

/** Removes an entry that was cut short, so that the next one begins where it should. */
function removeTail(path: string): void {
  const { size } = statSync(path)
  if (size % ENTRY_BYTES !== 0) truncateSync(path, size - (size % ENTRY_BYTES))
}

function readEpoch(path: string, epoch: bigint): JournalEntry[] {
  removeTail(path)
  const bytes = readFileSync(path)
  return Array.from({ length: bytes.length / ENTRY_BYTES }, (_, i) => {
    const field = (at: number) => {
      const start = i * ENTRY_BYTES + at * FIELD_BYTES
      return new Uint8Array(bytes.subarray(start, start + FIELD_BYTES))
    }
    const [externalNullifier, nullifier, x, y] = [0, 1, 2, 3].map((at) => bytesToBigInt(field(at)))
    return {
      epoch,
      externalNullifier: externalNullifier ?? 0n,
      nullifier: nullifier ?? 0n,
      x: x ?? 0n,
      y: y ?? 0n,
      hash: field(4),
    }
  })
}
