/**
 * The error class and the table of every error code. The table is split by domain: a code that starts
 * with `RLN_` is in `rln.ts`, and so on. docs/errors.md is generated from it.
 *
 * @module
 */
export { isPostriderError, PostriderError, type PostriderErrorOptions } from './error.ts'
export { type ErrorCode, errorSections, errorTable } from './table.ts'
export type { ErrorEntry, ErrorSection } from './types.ts'
