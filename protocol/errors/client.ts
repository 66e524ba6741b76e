import type { ErrorSection } from './types.ts'

export const clientErrors = {
  CLIENT_NO_NODE: {
    title: 'No node can serve this request',
    retryable: true,
    fix: 'Check the connection and the list of nodes.',
  },
  CLIENT_BUDGET_EXCEEDED: {
    title: 'The budget does not cover this request',
    retryable: false,
    fix: 'Raise the budget.',
  },
} as const satisfies ErrorSection
