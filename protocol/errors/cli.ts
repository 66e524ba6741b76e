import type { ErrorSection } from './types.ts'

export const cliErrors = {
  CLI_USAGE: {
    title: 'The command line is not valid',
    retryable: false,
    fix: 'Run the command with --help.',
  },
} as const satisfies ErrorSection
