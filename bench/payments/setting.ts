import type { PaymentDomain } from '@postrider/protocol/payment'

/** What both processes of the end-to-end measurement know. */
export const DOMAIN: PaymentDomain = {
  chainId: 31337,
  contract: `0x${'33'.repeat(20)}`,
  token: `0x${'11'.repeat(20)}`,
}
export const PAYEE = `0x${'55'.repeat(20)}` as const
export const PRICES = { publish: 10n, query: 10n, push: 1n } as const
export const DEPOSIT = 10n ** 18n
export const PUBSUB_TOPIC = '/waku/2/rs/66/0'
export const CONTENT_TOPIC = '/bench/1/paid/proto'
