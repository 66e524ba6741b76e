import { isPostriderError } from '@postrider/protocol/errors'
import { CommanderError } from 'commander'

/** Every exit code with its meaning. Scripts may rely on them; a number never changes its meaning. */
export const EXIT_CODES = {
  ok: { code: 0, meaning: 'done, or nothing to do' },
  unexpected: { code: 1, meaning: 'a failure that none of the others describes' },
  usage: { code: 2, meaning: 'the command line, a value or the configuration is not valid' },
  refused: {
    code: 3,
    meaning: 'a check before the action failed, or it was not confirmed; nothing was sent',
  },
  chain: { code: 4, meaning: 'the chain does not answer, or it refused the transaction' },
  network: { code: 5, meaning: "the node's API does not answer, or failed" },
  keys: { code: 6, meaning: 'keys, passwords or tokens are missing, wrong, locked or exposed' },
  interrupted: { code: 130, meaning: 'stopped by Ctrl-C before it was done' },
  outputClosed: {
    code: 141,
    meaning: 'done, but the output was closed before all of it was written, as by head',
  },
} as const

export type ExitCode = (typeof EXIT_CODES)[keyof typeof EXIT_CODES]['code']

/** The codes of whole domains; what is listed by name below goes before. */
const BY_DOMAIN: { readonly [prefix: string]: ExitCode } = {
  CONFIG: EXIT_CODES.usage.code,
  CHAIN: EXIT_CODES.chain.code,
  API: EXIT_CODES.network.code,
  KEYS: EXIT_CODES.keys.code,
  // From the node's API: it refused, and nothing was sent.
  PAYMENT: EXIT_CODES.refused.code,
  RLN: EXIT_CODES.refused.code,
}

const BY_CODE: { readonly [code: string]: ExitCode } = {
  API_UNAUTHORIZED: EXIT_CODES.keys.code,
  API_FORBIDDEN: EXIT_CODES.keys.code,
  API_TOKEN_FILE_INVALID: EXIT_CODES.keys.code,
  API_NOT_FOUND: EXIT_CODES.usage.code,
  API_REQUEST_INVALID: EXIT_CODES.usage.code,
  API_ACTION_REFUSED: EXIT_CODES.refused.code,
  CLI_USAGE: EXIT_CODES.usage.code,
  CLI_AMOUNT_INVALID: EXIT_CODES.usage.code,
  CLI_ADDRESS_INVALID: EXIT_CODES.usage.code,
  CLI_CHANNEL_ID_INVALID: EXIT_CODES.usage.code,
  CLI_INPUT_NEEDED: EXIT_CODES.usage.code,
  CLI_FILE_UNREADABLE: EXIT_CODES.usage.code,
  CLI_NOT_CONFIRMED: EXIT_CODES.refused.code,
  CLI_REFUSED: EXIT_CODES.refused.code,
  CLI_NOT_INITIALIZED: EXIT_CODES.refused.code,
  CLI_ALREADY_INITIALIZED: EXIT_CODES.refused.code,
  CLI_NODE_UNREACHABLE: EXIT_CODES.network.code,
  CLI_API_ANSWER_INVALID: EXIT_CODES.network.code,
  CORE_ABORTED: EXIT_CODES.interrupted.code,
  PAYMENT_AMOUNT_INVALID: EXIT_CODES.usage.code,
  RELAY_IDENTITY_INVALID: EXIT_CODES.keys.code,
  RELAY_LISTEN_FAILED: EXIT_CODES.network.code,
  WIRE_MALFORMED: EXIT_CODES.refused.code,
}

/** The exit code of anything thrown. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_CODES.usage.code
  if (!isPostriderError(error)) return EXIT_CODES.unexpected.code
  const [domain = ''] = error.code.split('_')
  return BY_CODE[error.code] ?? BY_DOMAIN[domain] ?? EXIT_CODES.unexpected.code
}
