import type { ErrorSection } from './types.ts'

export const cliErrors = {
  CLI_USAGE: {
    title: 'The command line is not valid',
    retryable: false,
    fix: 'Run the command with --help.',
  },
  CLI_AMOUNT_INVALID: {
    title: 'The amount is not valid',
    retryable: false,
    fix: "Write an exact decimal with its unit, for example 1.5POST, base units as a bare integer, or 'all'.",
    http: 400,
  },
  CLI_ADDRESS_INVALID: {
    title: 'The address is not valid',
    retryable: false,
    fix: 'Copy it again: 0x and 40 hex digits, all in lower case or with the right EIP-55 checksum.',
  },
  CLI_CHANNEL_ID_INVALID: {
    title: 'The id names no channel, or several',
    retryable: false,
    fix: "Take it from 'postrider channel list': the whole id, its beginning, or what the list shows of it.",
  },
  CLI_INPUT_NEEDED: {
    title: 'The command needs an answer and may not ask',
    retryable: false,
    fix: 'Pass the value by its option or file, or run in a terminal without --no-input.',
  },
  CLI_NOT_CONFIRMED: {
    title: 'The action was not confirmed',
    retryable: false,
    fix: 'Answer yes, or pass --yes to act without a question.',
  },
  CLI_REFUSED: {
    title: 'A check before the action failed, and nothing was sent',
    retryable: false,
    fix: 'Read the failed checks: each names its own fix.',
  },
  CLI_NOT_INITIALIZED: {
    title: 'The data folder holds no node',
    retryable: false,
    fix: "Run 'postrider init', or name the folder with --data-dir.",
  },
  CLI_ALREADY_INITIALIZED: {
    title: 'The data folder already holds a node',
    retryable: false,
    fix: 'Choose another --data-dir; existing keys are never overwritten.',
  },
  CLI_FILE_UNREADABLE: {
    title: 'The file cannot be read',
    retryable: false,
    fix: 'Check the path and its permissions.',
  },
  CLI_NODE_UNREACHABLE: {
    title: "The node's API does not answer",
    retryable: true,
    fix: "Start the node with 'postrider run', or name its address with --api-url.",
  },
  CLI_API_ANSWER_INVALID: {
    title: "The node's API answered something unexpected",
    retryable: false,
    fix: 'Use the same version of postrider for the node and the command.',
  },
} as const satisfies ErrorSection
