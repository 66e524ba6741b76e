import { PostriderError } from '@postrider/protocol/errors'
import type { Hex } from '@postrider/protocol/wire'
import type { ChainEvent, EventValue } from './types.ts'

/** Typed reading of an event's arguments; every reader throws `CHAIN_LOGS_INCONSISTENT` on another type. */
export type ArgsReader = {
  amount(name: string): bigint
  /** An integer that fits a JavaScript number: indexes, limits, times. */
  count(name: string): number
  /** Lower-case hex: an address or bytes. */
  hex(name: string): Hex
  texts(name: string): string[]
  /** The fields of a struct. */
  struct(name: string): ArgsReader
}

export function readArgs(event: ChainEvent): ArgsReader {
  return reader(event.args, `${event.contract}.${event.name}`)
}

function reader(args: { readonly [name: string]: EventValue }, what: string): ArgsReader {
  const wrong = (name: string): PostriderError =>
    new PostriderError('CHAIN_LOGS_INCONSISTENT', { detail: `${what} has no fit argument ${name}` })

  return {
    amount(name) {
      const value = args[name]
      if (typeof value === 'number' || (typeof value === 'string' && /^\d+$/.test(value)))
        return BigInt(value)
      throw wrong(name)
    },
    count(name) {
      const value = Number(args[name])
      if (Number.isSafeInteger(value)) return value
      throw wrong(name)
    },
    hex(name) {
      const value = args[name]
      if (typeof value === 'string' && value.startsWith('0x')) return value.toLowerCase() as Hex
      throw wrong(name)
    },
    texts(name) {
      const value = args[name]
      if (Array.isArray(value) && value.every((item): item is string => typeof item === 'string'))
        return value
      throw wrong(name)
    },
    struct(name) {
      const value = args[name]
      if (typeof value !== 'object' || Array.isArray(value)) throw wrong(name)
      return reader(value as { readonly [name: string]: EventValue }, `${what}.${name}`)
    },
  }
}
