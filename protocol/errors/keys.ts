import type { ErrorSection } from './types.ts'

export const keysErrors = {
  KEYS_PASSWORD_WRONG: {
    title: 'The password does not open the keystore',
    retryable: false,
    fix: 'Check the password file; a line break at its end is ignored, other white space counts.',
  },
  KEYS_PASSWORD_MISSING: {
    title: 'No password was given for the keystore',
    retryable: false,
    fix: 'Pass --password-file, set POSTRIDER_PASSWORD_FILE, or run in a terminal to be asked.',
  },
  KEYS_PASSWORD_WEAK: {
    title: 'The password is too short',
    retryable: false,
    fix: 'Use at least 8 characters; a random one from a password manager is best.',
  },
  KEYS_FILE_INVALID: {
    title: 'The keystore file is damaged or of another format',
    retryable: false,
    fix: 'Restore it from the backup.',
  },
  KEYS_FILE_MISSING: {
    title: 'The key file does not exist',
    retryable: false,
    fix: "Restore it from the backup, or run 'postrider init' for a new node.",
  },
  KEYS_FILE_EXISTS: {
    title: 'A key file already exists and is never overwritten',
    retryable: false,
    fix: 'Move the file away if it is really not needed any more.',
  },
  KEYS_FILE_EXPOSED: {
    title: 'Other users of this machine can read the key file',
    retryable: false,
    fix: "Run 'chmod 600' on the named file.",
  },
  KEYS_ADDRESS_MISMATCH: {
    title: 'The keystore holds another address than expected',
    retryable: false,
    fix: 'Use the keystore of the address in config.json, or correct the address there.',
  },
} as const satisfies ErrorSection
