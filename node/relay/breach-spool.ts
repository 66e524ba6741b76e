import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bigIntToBytes, bytesToBigInt, bytesToHex, hexToBytes } from '@postrider/protocol/wire'
import { PRIVATE_DIR_MODE, PRIVATE_FILE_MODE } from '../core/files.ts'
import type { Logger } from '../core/logger.ts'
import type { FoundBreach } from './types.ts'

/**
 * Breaches between the verdict and the evidence store, on disk: the second message is forwarded by nobody, so what
 * the process forgets here it may never see again.
 */
export type BreachSpool = {
  /** Written when it returns. A disk that fails is logged; the breach then lives in memory only. */
  put(breach: FoundBreach): void
  remove(commitment: bigint): void
  /** Throws nothing: what cannot be read is left where it is. */
  list(): FoundBreach[]
}

const SUFFIX = '.breach'

/** A spool of one file for each member, in a folder that it may share. */
export function createBreachSpool({ logger }: { logger: Logger }, dir: string): BreachSpool {
  const pathOf = (commitment: bigint) => join(dir, `${bytesToHex(bigIntToBytes(commitment, 32))}${SUFFIX}`)

  const attempt = <T>(what: string, run: () => T): T | undefined => {
    try {
      return run()
    } catch (err) {
      logger.error({ err, dir }, `breach spool: ${what} failed`)
      return undefined
    }
  }

  return {
    put: (breach) =>
      attempt('writing', () => {
        const path = pathOf(breach.commitment)
        mkdirSync(dir, { recursive: true, mode: PRIVATE_DIR_MODE })
        writeFileSync(`${path}.tmp`, encodeBreachFile(breach), { mode: PRIVATE_FILE_MODE })
        renameSync(`${path}.tmp`, path)
      }),
    remove: (commitment) => attempt('removing', () => rmSync(pathOf(commitment), { force: true })),
    list() {
      const names = attempt('listing', () => readdirSync(mkdirIn(dir))) ?? []
      return names
        .filter((name) => name.endsWith(SUFFIX))
        .flatMap(
          (name) => attempt('reading', () => decodeBreachFile(readFileSync(join(dir, name), 'utf8'))) ?? [],
        )
    },
  }
}

function mkdirIn(dir: string): string {
  mkdirSync(dir, { recursive: true, mode: PRIVATE_DIR_MODE })
  return dir
}

type BreachFile = Record<'pubsubTopic' | 'first' | 'second' | 'secret' | 'commitment', string>

function encodeBreachFile({ pubsubTopic, first, second, secret, commitment }: FoundBreach): string {
  const element = (value: bigint) => bytesToHex(bigIntToBytes(value, 32))
  return JSON.stringify({
    pubsubTopic,
    first: bytesToHex(first),
    second: bytesToHex(second),
    secret: element(secret),
    commitment: element(commitment),
  } satisfies BreachFile)
}

function decodeBreachFile(text: string): FoundBreach {
  const { pubsubTopic, first, second, secret, commitment } = JSON.parse(text) as BreachFile
  return {
    pubsubTopic,
    first: hexToBytes(first),
    second: hexToBytes(second),
    secret: bytesToBigInt(hexToBytes(secret)),
    commitment: bytesToBigInt(hexToBytes(commitment)),
  }
}
