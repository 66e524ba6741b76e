import type { ErrorSection } from './types.ts'

// Errors of everything that speaks to the chain: reading, following, sending.
export const chainErrors = {
  CHAIN_UNREACHABLE: {
    title: 'No RPC endpoint answers',
    retryable: true,
    fix: 'Check the endpoints in the configuration; several, of different operators, survive the loss of one.',
    http: 503,
  },
  CHAIN_RPC_FAILED: {
    title: 'An RPC endpoint refused a request',
    retryable: true,
    fix: 'Read the detail: rate limits and pruned history are the usual causes. Use an archive endpoint or add one.',
    http: 502,
  },
  CHAIN_WRONG_CHAIN: {
    title: 'The RPC endpoint serves another chain',
    retryable: false,
    fix: 'Use an endpoint of the chain id in the network file.',
    http: 502,
  },
  CHAIN_CONTRACT_MISSING: {
    title: 'There is no contract at an address of the network file',
    retryable: false,
    fix: 'Check that the network file belongs to this chain and that the chain was not reset.',
    http: 502,
  },
  CHAIN_LOGS_INCONSISTENT: {
    title: 'The events of an RPC endpoint contradict each other or the contract',
    retryable: true,
    fix: 'The node asks again, then reads from an earlier block. If it lasts, use another RPC endpoint.',
    http: 502,
  },
  CHAIN_ENDPOINT_SET_ASIDE: {
    title: 'An RPC endpoint contradicts the others and is not used',
    retryable: true,
    fix: 'The detail says how: behind, ahead, forked or misdated. It is used again once it agrees; if it does not, replace it.',
    http: 502,
  },
  CHAIN_ENDPOINTS_DISAGREE: {
    title: 'The RPC endpoints contradict each other and no majority tells who is right',
    retryable: true,
    fix: 'No request is charged until they agree. Use three endpoints of different operators; docs/runbooks/rpc-outage.md.',
    http: 503,
  },
  CHAIN_REORG_TOO_DEEP: {
    title: 'The chain was rewritten further back than the node remembers',
    retryable: true,
    fix: 'The node reads the contracts again from their deployment. Raise the confirmations if it happens often.',
    http: 503,
  },
  CHAIN_LAGGING: {
    title: 'The newest block of the chain is too old, or older than one that was seen before',
    retryable: true,
    fix: 'Wait, or check the RPC endpoints: one that is stuck answers with old blocks. chain.maxHeadAgeSeconds is the limit.',
    http: 503,
  },
  CHAIN_REVERTED: {
    title: 'The contract refuses the transaction',
    retryable: false,
    fix: 'Look up errorName and args in the contract reference; nothing was changed on chain.',
    http: 422,
  },
  CHAIN_INSUFFICIENT_GAS_MONEY: {
    title: 'The account cannot pay for the gas',
    retryable: true,
    fix: 'Send native coins to the account named in the detail; docs/runbooks/low-gas.md says how much.',
    http: 402,
  },
  CHAIN_FEE_TOO_HIGH: {
    title: 'The gas price is above the configured limit',
    retryable: true,
    fix: 'Wait until gas is cheaper or raise chain.maxFeePerGas.',
    http: 503,
  },
  CHAIN_TRANSACTION_REPLACED: {
    title: "The transaction's nonce was used by another transaction of the same account",
    retryable: true,
    fix: 'Let only one process send from an account. The work was not done; it is tried again on the next round.',
    http: 409,
  },
  CHAIN_SENDER_BUSY: {
    title: 'Too many transactions wait to be sent',
    retryable: true,
    fix: 'Wait for those under way. If they do not end, see docs/runbooks/stuck-transaction.md.',
    http: 503,
  },
  CHAIN_SENDER_STOPPED: {
    title: 'The transaction queue is stopped',
    retryable: true,
    fix: 'The intent is kept on disk and continues after the restart.',
    http: 503,
  },
  CHAIN_MEMBER_UNKNOWN: {
    title: 'There is no such member in the RLN tree',
    retryable: false,
    fix: 'Register the commitment, or wait until the registration has its confirmations.',
    http: 404,
  },
} as const satisfies ErrorSection
