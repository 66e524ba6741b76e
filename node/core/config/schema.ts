import { isAbsolute } from 'node:path'
import { parseAmount } from '@postrider/protocol/payment'
import { z } from 'zod'
import { LOG_LEVELS } from '../logger.ts'
import {
  DEFAULT_API_PORT,
  DEFAULT_PUBLISH_PRICE,
  DEFAULT_PUSH_PRICE,
  DEFAULT_QUERY_PRICE,
  DEFAULT_UNPAID_LIMIT,
  MAX_LIST_ENTRIES,
  MAX_UINT64,
  MAX_UINT128,
} from './constants.ts'

/** Marks that the loader and the printer act on. */
export const leafKinds = z.registry<{ kind: 'path' | 'rpc-urls' }>()

const count = (minimum: number, maximum: number) => z.int().min(minimum).max(maximum)

const range = (maximum: bigint) =>
  [(value: bigint) => value >= 0n && value <= maximum, `expected 0 to ${maximum}`] as const

/** Wei: digits as text, or an integer that JSON can hold exactly. */
const wei = (maximum: bigint) =>
  z
    .union([z.bigint(), z.int(), z.string().regex(/^\d+$/, 'expected an integer in wei')])
    .transform((value) => BigInt(value))
    .refine(...range(maximum))

/** Tokens: base units, or text with a unit such as `1.5 POST`; no float on the way. */
const amount = (maximum: bigint) =>
  z
    .union([z.bigint(), z.int(), z.string()])
    .transform((value, context) => {
      try {
        return parseAmount(String(value))
      } catch {
        context.addIssue('expected base units, or a number with the unit base, gpost, mpost or post')
        return z.NEVER
      }
    })
    .refine(...range(maximum))

const path = () =>
  z
    .string()
    .min(1)
    .refine((value) => isAbsolute(value), 'expected a path')
    .register(leafKinds, { kind: 'path' })

const multiaddrs = () => z.array(z.string().startsWith('/', 'expected a multiaddr')).max(MAX_LIST_ENTRIES)

const ips = () => z.array(z.union([z.ipv4(), z.ipv6()], 'expected an IP address')).max(MAX_LIST_ENTRIES)

const rpcUrls = () =>
  z
    .array(z.url({ protocol: /^https?$/ }))
    .max(MAX_LIST_ENTRIES)
    .register(leafKinds, { kind: 'rpc-urls' })

const api = z.strictObject({
  enabled: z.boolean().default(true).describe('serve the HTTP API'),
  host: z.string().min(1).default('127.0.0.1').describe('address the HTTP API listens on'),
  port: count(0, 65_535).default(DEFAULT_API_PORT).describe('port of the HTTP API; 0 takes a free one'),
})

const services = z.strictObject({
  relay: z.boolean().default(true).describe('validate and forward messages'),
  store: z.boolean().default(true).describe('keep messages and answer queries'),
  filter: z.boolean().default(true).describe('push messages to subscribed light clients'),
  lightpush: z.boolean().default(true).describe('publish for light clients'),
})

const prices = z.strictObject({
  publish: amount(MAX_UINT64).default(DEFAULT_PUBLISH_PRICE).describe('one published message, base units'),
  query: amount(MAX_UINT64).default(DEFAULT_QUERY_PRICE).describe('one page of history, base units'),
  push: amount(MAX_UINT64).default(DEFAULT_PUSH_PRICE).describe('one pushed message, base units'),
})

const redeem = z.strictObject({
  mode: z
    .enum(['auto', 'oversight', 'manual'])
    .default('auto')
    .describe('auto sends by itself, oversight waits for approval, manual waits for the command'),
  minBatchValue: amount(MAX_UINT128).default(0n).describe('least value of one batch, base units'),
  gasFactor: count(1, 1_000).default(2).describe('a voucher is worth redeeming from this many times its gas'),
  tokenPerNativeMilli: count(0, Number.MAX_SAFE_INTEGER)
    .default(1_000)
    .describe('base units of the token that one wei is worth, in thousandths, to weigh gas against value'),
  intervalSeconds: count(1, 604_800).default(600).describe('time between two looks at what can be redeemed'),
  maxBatch: count(1, 100).default(100).describe('vouchers in one transaction'),
  claimsFile: path()
    .optional()
    .describe('file with the newest vouchers for a watchtower; absent: none is written'),
})

const store = z.strictObject({
  retentionSeconds: count(60, 315_360_000).default(2_592_000).describe('how long messages are kept'),
  maxBytes: count(1_048_576, Number.MAX_SAFE_INTEGER)
    .default(10_737_418_240)
    .describe('most bytes of messages kept; the oldest go first'),
})

const rln = z.strictObject({
  keystoreFile: path()
    .optional()
    .describe("keystore of the node's own RLN membership; absent: dataDir/rln.json"),
  firstMessageId: count(0, 65_534)
    .default(0)
    .describe('first message id this device may use; two devices of one member split the range'),
  messageIdCount: count(1, 65_535)
    .optional()
    .describe('how many ids this device may use; absent: all others'),
})

const zk = z.strictObject({
  workers: count(1, 64).default(1).describe('threads that check proofs'),
  keysDir: path().optional().describe('folder of the proving keys; absent: the ones that come with the node'),
  manifestSha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/i, 'expected 64 hex digits')
    .optional()
    .describe("SHA-256 of the keys' manifest.json, hex; pins every key file"),
  allowDevelopmentKeys: z
    .boolean()
    .default(false)
    .describe('run with keys under which anyone can forge proofs, on a chain that is not local'),
})

const chain = z.strictObject({
  confirmations: count(0, 1_000).default(2).describe('blocks on top before an event counts'),
  pollMs: count(50, 600_000).default(2_000).describe('time between two looks for new blocks'),
  maxBlockRange: count(1, 100_000).default(2_000).describe('most blocks asked for in one request for events'),
  lagSeconds: count(1, 86_400)
    .default(60)
    .describe('without a new answer for this long the node is not ready'),
  maxHeadAgeSeconds: count(0, 86_400)
    .optional()
    .describe(
      'with a newest block older than this the node is not ready; 0: blocks may be rare; absent: 300, 0 on a local chain',
    ),
  maxFeePerGas: wei(MAX_UINT128).default(500_000_000_000n).describe('most wei paid per unit of gas'),
})

const keystore = z.strictObject({
  file: path().optional().describe("keystore of the node's hot key; absent: dataDir/keystore.json"),
  passwordFile: path().optional().describe('file that holds the password of the keystores'),
})

/** The node's configuration. Every key has a default except `dataDir`, which the loader supplies. */
export const configSchema = z.strictObject({
  dataDir: path().describe('folder of all state; the owner alone can enter it'),
  networkFile: path().optional().describe('network file of the deployment; absent: dataDir/network.json'),
  rpcUrls: rpcUrls().default([]).describe("RPC endpoints, best first; empty: the network file's"),
  listen: multiaddrs()
    .default(['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/0/ws'])
    .describe('multiaddrs to listen on; port 0 takes a free one'),
  announce: multiaddrs().default([]).describe('multiaddrs told to others; empty: those listened on'),
  proxies: ips()
    .default([])
    .describe('IP addresses of proxies that end TLS for browsers: their X-Forwarded-For is believed'),
  bootstrap: multiaddrs().default([]).describe("peers to connect to, besides the network file's"),
  services: services.prefault({}),
  prices: prices.prefault({}),
  unpaidLimit: amount(MAX_UINT128)
    .default(DEFAULT_UNPAID_LIMIT)
    .describe('what is served before payment is due, base units'),
  freeRequestsPerEpoch: count(0, 1_000_000)
    .default(20)
    .describe('requests of one peer per epoch that cost nothing'),
  api: api.prefault({}),
  redeem: redeem.prefault({}),
  store: store.prefault({}),
  rln: rln.prefault({}),
  zk: zk.prefault({}),
  chain: chain.prefault({}),
  keystore: keystore.prefault({}),
  log: z
    .strictObject({
      level: z.enum(LOG_LEVELS).default('info').describe('least severe lines that are written'),
    })
    .prefault({}),
})

type DeepReadonly<T> = T extends bigint | string | number | boolean | undefined
  ? T
  : { readonly [K in keyof T]: DeepReadonly<T[K]> }

/** A checked, frozen configuration. Amounts are base units; durations have their unit in the name. */
export type Config = DeepReadonly<z.output<typeof configSchema>>

/** What a file or a caller may give: any part of it. */
export type ConfigInput = Partial<z.input<typeof configSchema>>
