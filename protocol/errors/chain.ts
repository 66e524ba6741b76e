import type { ErrorSection } from './types.ts'

export const chainErrors = {
  CHAIN_UNREACHABLE: {
    title: 'No RPC endpoint answers',
    retryable: true,
    fix: 'Check the endpoints in the configuration.',
    http: 503,
  },
  CHAIN_WRONG_NETWORK: {
    title: 'The RPC endpoint serves another chain',
    retryable: false,
    fix: 'Use an endpoint of the chain id in the network file.',
    http: 502,
  },
} as const satisfies ErrorSection
