import type { ErrorSection } from './types.ts'

export const keysErrors = {
  KEYS_PASSWORD_WRONG: {
    title: 'The password does not open the keystore',
    retryable: false,
    fix: 'Check the password file.',
  },
  KEYS_FILE_INVALID: {
    title: 'The keystore file is damaged or of another format',
    retryable: false,
    fix: 'Restore it from the backup.',
  },
} as const satisfies ErrorSection
