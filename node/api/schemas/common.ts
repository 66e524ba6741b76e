import { TOKEN_DECIMALS, TOKEN_SYMBOL } from '@postrider/protocol/payment'
import { z } from 'zod'
import { readAddress } from '../../core/address.ts'
import { MAX_CURSOR_CHARS, MAX_PAGE_ITEMS, PAGE_ITEMS } from '../constants.ts'

/**
 * The building blocks of every answer. A codec has two sides: the wire's (what JSON and OpenAPI show) and the
 * program's (what the views return and what a TypeScript reader of the API gets back from `parse`).
 */

const ETHER_DECIMALS = 18

const decimal = z.string().regex(/^(0|[1-9][0-9]*)$/)
const hexOf = (bytes: number, title: string) =>
  z
    .string()
    .regex(new RegExp(`^0x[0-9a-f]{${bytes * 2}}$`), `${bytes} bytes, 0x and lower-case hex`)
    .meta({ title })

function money<Unit extends string>(unit: Unit, decimals: number, id: string, description: string) {
  const wire = z.strictObject({
    amount: decimal.describe('Integer number of base units, as text: it may exceed 2^53'),
    unit: z.literal(unit),
    decimals: z.literal(decimals).describe('Base units per whole unit, as a power of ten'),
  })
  return z
    .codec(wire, z.bigint().nonnegative(), {
      decode: ({ amount }) => BigInt(amount),
      encode: (amount) => ({ amount: amount.toString(), unit, decimals }),
    })
    .meta({ id, description })
}

/** An amount of the network's token; bigint base units ↔ text with its unit. */
export const postAmount = money(TOKEN_SYMBOL, TOKEN_DECIMALS, 'PostAmount', 'An amount of the payment token')
/** An amount of the chain's own coin, for gas; bigint wei ↔ text with its unit. */
export const etherAmount = money(
  'ETH',
  ETHER_DECIMALS,
  'EtherAmount',
  "An amount of the chain's own coin, for gas",
)

/** Unix milliseconds ↔ RFC 3339 text in UTC. */
export const timestamp = z
  .codec(z.iso.datetime(), z.number().int(), {
    decode: (text) => Date.parse(text),
    encode: (ms) => new Date(ms).toISOString(),
  })
  .meta({ id: 'Timestamp', description: 'UTC, RFC 3339 with milliseconds' })

/** An unsigned integer that may exceed 2^53 (field elements, block numbers of any chain); bigint ↔ text. */
export const bigInteger = z
  .codec(decimal, z.bigint().nonnegative(), { decode: BigInt, encode: String })
  .meta({ id: 'BigInteger', description: 'An unsigned integer as decimal text' })

/** Bytes ↔ base64 text. */
export const base64Bytes = z
  .codec(z.base64(), z.instanceof(Uint8Array), {
    decode: (text) => Uint8Array.from(Buffer.from(text, 'base64')),
    encode: (bytes) => Buffer.from(bytes).toString('base64'),
  })
  .meta({ id: 'Base64', description: 'Bytes in base64 with padding' })

export const hash32 = hexOf(32, '32 bytes')
export const transactionHash = hexOf(32, 'Transaction hash')
/** Written with its EIP-55 checksum; read in any case, unless mixed case makes a wrong checksum. */
export const address = z
  .codec(z.string().regex(/^0x[0-9a-fA-F]{40}$/), z.string(), {
    decode(text, context) {
      const read = readAddress(text)
      if (read === undefined) {
        context.issues.push({ code: 'custom', input: text, message: 'the checksum of the address is wrong' })
      }
      return read ?? z.NEVER
    },
    encode: (text) => readAddress(text.toLowerCase()) ?? text,
  })
  .meta({ title: 'Account address' })
export const count = z.number().int().nonnegative()

/** How far along the chain an answer that depends on it was true; null before the first block was read. */
export const asOfBlock = z.object({ number: bigInteger, at: timestamp }).nullable().meta({
  id: 'AsOfBlock',
  description: 'The block up to which this answer counts the chain; null before the first',
})

/** A reason that names an error code, so that a page can link to its explanation. */
export const reason = z
  .object({ code: z.string(), text: z.string() })
  .meta({ id: 'Reason', description: 'Why; a code in capitals is one of docs/errors.md' })

export const pageQuery = z.object({
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(MAX_PAGE_ITEMS)
    .default(PAGE_ITEMS)
    .describe('Most items in one answer'),
  cursor: z
    .string()
    .max(MAX_CURSOR_CHARS)
    .optional()
    .describe('nextCursor of the previous answer, unchanged'),
})

/** One page of a list. */
export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({
    items: z.array(item),
    nextCursor: z.string().nullable().describe('Pass it as cursor for the next page; null on the last'),
  })
