/**
 * Comma-separated values (RFC 4180) that a spreadsheet may open: text that it would take for a formula is put behind
 * an apostrophe.
 *
 * @module
 */

/** One column: its heading and the cell of a row. Amounts go in as base units, exact and without a separator. */
export type Column<Row> = { name: string; cell(row: Row): string | number | bigint | boolean | null }

/** The heading line of RFC 4180 CSV. */
export const csvHeading = <Row>(columns: readonly Column<Row>[]): string =>
  line(columns.map(({ name }) => name))

/** One line of CSV. Text that a spreadsheet would take for a formula is put behind an apostrophe. */
export function csvRow<Row>(columns: readonly Column<Row>[], row: Row): string {
  return line(columns.map(({ cell }) => cellText(cell(row))))
}

function cellText(value: ReturnType<Column<never>['cell']>): string {
  if (value === null) return ''
  if (typeof value !== 'string') return String(value)
  return /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
}

const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)

const line = (cells: readonly string[]): string => `${cells.map(quoted).join(',')}\r\n`
