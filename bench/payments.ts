// What a payment costs off chain: signatures against viem, ticks, charges on disk, and paid requests between processes.
import { round } from './measure.ts'
import { measureCharges } from './payments/charges.ts'
import { measureRequests } from './payments/requests.ts'
import { measureTicks, measureVouchers } from './payments/voucher.ts'
import type { Outcome } from './types.ts'

export const title = 'Payments off chain: viem against ours, one thread; two processes for the requests'

export async function run(): Promise<Outcome> {
  const { viemMs, oursMs } = await measureVouchers()
  const tickMs = measureTicks()
  const charges = await measureCharges()
  const requests = await measureRequests()
  const perSecond = (ms: number) => Math.round(1000 / ms)
  return {
    rows: [
      { what: "viem's recovery of a voucher's signer", 'per second': perSecond(viemMs) },
      { what: 'voucher checked', 'per second': perSecond(oursMs) },
      { what: 'tick checked', 'per second': perSecond(tickMs) },
      { what: 'charge, on disk', 'per second': Math.round(charges) },
      { what: 'paid request over one connection', 'per second': Math.round(requests.perSecond) },
      { what: 'its processor time in the client', ms: round(requests.clientMs) },
      { what: 'its processor time in the node', ms: round(requests.nodeMs) },
    ],
    result: {
      viem_recover_per_s: perSecond(viemMs),
      voucher_verify_per_s: perSecond(oursMs),
      speedup_voucher: round(viemMs / oursMs),
      tick_verify_per_s: perSecond(tickMs),
      charges_per_s: Math.round(charges),
      paid_requests_per_s: Math.round(requests.perSecond),
      client_ms_per_paid_request: round(requests.clientMs),
      node_ms_per_paid_request: round(requests.nodeMs),
    },
  }
}
