import type { ErrorSection } from './types.ts'

// Errors of the node's frame: lifecycle, deadlines, files and the database.
export const coreErrors = {
  CORE_ABORTED: {
    title: 'The operation was aborted by its caller',
    retryable: true,
    fix: 'Nothing is wrong. Start the operation again if its result is still wanted.',
  },
  CORE_DEADLINE_EXCEEDED: {
    title: 'The operation took longer than it may',
    retryable: true,
    fix: 'Retry. If it repeats, look in the log for what the named operation waited for.',
    http: 504,
  },
  CORE_START_FAILED: {
    title: 'A part of the node did not start',
    retryable: false,
    fix: 'Read the cause in the log; the parts that had started were stopped again.',
  },
  CORE_METRIC_LABEL: {
    title: 'A metric asks for a label that is not allowed',
    retryable: false,
    fix: 'Count by kind or code, not by peer, address or hash.',
  },
  CORE_FILE_READ_FAILED: {
    title: 'A file cannot be read',
    retryable: false,
    fix: 'Check that the path exists, is readable by this user and is of the expected kind.',
  },
  CORE_FILE_WRITE_FAILED: {
    title: 'A file cannot be written',
    retryable: true,
    fix: 'Check free space and the permissions of the folder. The old content is untouched.',
  },
  CORE_DATA_DIR_IN_USE: {
    title: 'Another process works in this data folder',
    retryable: false,
    fix: 'Stop it first, or use a data folder of its own: accounts and message ids have one writer.',
  },
  CORE_DB_OPEN_FAILED: {
    title: 'The database cannot be opened',
    retryable: false,
    fix: 'Check the path, its permissions and free space, and that no other node uses the same data folder.',
  },
  CORE_DB_MIGRATION_CHANGED: {
    title: 'A migration that was already applied has changed',
    retryable: false,
    fix: 'Run the version that made this database, or restore the migration; applied migrations are never edited.',
  },
  CORE_DB_TOO_NEW: {
    title: 'The database was made by a newer version',
    retryable: false,
    fix: 'Run that version or a later one, or restore the backup made before the upgrade.',
  },
  CORE_DB_MIGRATION_FAILED: {
    title: 'A migration of the database failed and was rolled back',
    retryable: false,
    fix: 'Read the cause in the log: a full disk and a damaged file are the usual ones.',
  },
  CORE_DB_FAILED: {
    title: 'The database refused a statement',
    retryable: true,
    fix: 'Read the cause in the log: a full disk is the usual one. Nothing of the statement was kept.',
    http: 503,
  },
  CORE_DB_VALUE_INVALID: {
    title: 'A value does not fit its column',
    retryable: false,
    fix: 'This is a defect or a damaged database: check it, and restore the backup if it is damaged.',
  },
} as const satisfies ErrorSection
