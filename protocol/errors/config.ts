import type { ErrorSection } from './types.ts'

export const configErrors = {
  CONFIG_INVALID: {
    title: 'The configuration is not valid',
    retryable: false,
    fix: 'Correct the named key; `postrider config` lists every key with its environment variable and default.',
  },
  CONFIG_FILE_UNREADABLE: {
    title: 'The configuration file cannot be read',
    retryable: false,
    fix: 'Check that the path exists, is readable and holds one JSON object.',
  },
  CONFIG_NETWORK_INVALID: {
    title: 'The network file is not valid',
    retryable: false,
    fix: 'Take the network file that the deployment wrote, unchanged.',
  },
} as const satisfies ErrorSection
