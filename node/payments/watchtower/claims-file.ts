import { PostriderError } from '@postrider/protocol/errors'
import {
  channelId,
  MAX_TICKS,
  NO_TICKS,
  type PaymentDomain,
  type RecoverSigner,
  verifyTick,
  verifyVoucher,
} from '@postrider/protocol/payment'
import { bytesToHex, type Hex, hexToBytes } from '@postrider/protocol/wire'
import { z } from 'zod'
import { readFileBounded } from '../../core/files.ts'
import { MAX_CLAIMS_FILE_BYTES } from '../constants.ts'
import type { Claim } from '../types.ts'

const FORMAT = 'postrider-claims/1'

const hex = (bytes: number) =>
  z
    .string()
    .regex(new RegExp(`^0x[0-9a-f]{${2 * bytes}}$`))
    .transform((text) => text as Hex)
const amount = z
  .string()
  .regex(/^(0|[1-9][0-9]{0,38})$/)
  .transform((text) => BigInt(text))

const claimSchema = z.strictObject({
  payer: hex(20),
  signer: hex(20),
  salt: hex(32),
  cumulative: amount,
  tickAnchor: hex(32),
  tickValue: amount,
  signature: hex(65),
  tickCount: z.int().min(0).max(MAX_TICKS),
  tickPreimage: hex(32),
})
const fileSchema = z.strictObject({
  format: z.literal(FORMAT),
  chainId: z.int().positive(),
  contract: hex(20),
  payee: hex(20),
  savedMs: z.int().nonnegative(),
  claims: z.array(claimSchema),
})

/** What a node hands to a watchtower: the newest voucher and tick of every channel that owes it something. */
export type ClaimsFile = { payee: Hex; savedMs: number; claims: Claim[] }

/** The file's text. Nothing in it is secret: whoever settles these claims pays the payee. */
export function encodeClaims({ payee, savedMs, claims }: ClaimsFile, domain: PaymentDomain): string {
  const { chainId, contract } = domain
  const rows = claims.map(({ descriptor: { payer, signer, salt }, ...claim }) => ({
    payer: lower(payer),
    signer: lower(signer),
    salt,
    cumulative: claim.cumulative.toString(),
    tickAnchor: claim.tickAnchor,
    tickValue: claim.tickValue.toString(),
    signature: bytesToHex(claim.signature),
    tickCount: claim.tickCount,
    tickPreimage: claim.tickPreimage,
  }))
  const file = {
    format: FORMAT,
    chainId,
    contract: lower(contract),
    payee: lower(payee),
    savedMs,
    claims: rows,
  }
  return `${JSON.stringify(file)}\n`
}

/**
 * Reads a claims file. Claims whose signature or tick is wrong are left out: they would cost gas for nothing.
 *
 * @returns the file, and how many claims were left out
 * @throws PostriderError `PAYMENT_CLAIMS_FILE_INVALID`, `CORE_FILE_READ_FAILED`
 */
export async function readClaims(
  path: string,
  domain: PaymentDomain,
  recover: RecoverSigner,
): Promise<ClaimsFile & { refused: number }> {
  const bytes = await readFileBounded(path, MAX_CLAIMS_FILE_BYTES)
  if (!bytes) throw invalid(path, 'there is no such file')
  const file = parse(path, bytes)
  if (file.chainId !== domain.chainId || file.contract !== lower(domain.contract)) {
    throw invalid(path, 'it is for another chain or contract')
  }
  const { payee, savedMs } = file
  const all = file.claims.map((row) => toClaim(row, payee, domain))
  const claims = all.filter((claim) => isGood(claim, domain, recover))
  return { payee, savedMs, claims, refused: all.length - claims.length }
}

function parse(path: string, bytes: Uint8Array) {
  try {
    return fileSchema.parse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)))
  } catch (cause) {
    throw invalid(path, 'it is not a claims file', cause)
  }
}

function toClaim(row: z.output<typeof claimSchema>, payee: Hex, domain: PaymentDomain): Claim {
  const { payer, signer, salt, signature, ...claim } = row
  const descriptor = { payer, payee, signer, salt }
  return {
    ...claim,
    channelId: channelId(descriptor, domain),
    descriptor,
    signature: hexToBytes(signature, 65),
  }
}

function isGood(claim: Claim, domain: PaymentDomain, recover: RecoverSigner): boolean {
  const { signature, descriptor, tickCount: index, tickAnchor, tickPreimage } = claim
  if (!verifyVoucher(domain, claim, signature, descriptor.signer, recover)) return false
  if (index === 0) return true
  const anchor = { index: 0, preimage: hexToBytes(tickAnchor, 32) }
  return tickAnchor !== NO_TICKS && verifyTick(anchor, { index, preimage: hexToBytes(tickPreimage, 32) })
}

const lower = (address: Hex): Hex => address.toLowerCase() as Hex

function invalid(path: string, detail: string, cause?: unknown): PostriderError {
  return new PostriderError('PAYMENT_CLAIMS_FILE_INVALID', {
    detail: `${path}: ${detail}`,
    data: { path },
    ...(cause === undefined ? {} : { cause }),
  })
}
