import { stripVTControlCharacters, styleText } from 'node:util'

/** How text is emphasised; plain when colours are off. */
export type Style = { [name in 'bold' | 'dim' | 'green' | 'yellow' | 'red']: (text: string) => string } & {
  colour: boolean
}

export function createStyle(colour: boolean): Style {
  const paint = (format: Parameters<typeof styleText>[0]) => (text: string) =>
    colour ? styleText(format, text, { validateStream: false }) : text
  return {
    colour,
    bold: paint('bold'),
    dim: paint('dim'),
    green: paint('green'),
    yellow: paint('yellow'),
    red: paint('red'),
  }
}

const ESCAPE = '\u001b'

/**
 * Text without the control characters that could move a terminal's cursor or rewrite its title: some of it comes from
 * peers. Line breaks stay, and our own emphasis if colours are on.
 */
export function terminalText(text: string, colour: boolean): string {
  return text.replace(/(\p{Cc})(\[[0-9;]*m)?/gu, (all: string, control: string, emphasis: string = '') => {
    if (control === '\n') return all
    if (control !== ESCAPE) return ` ${emphasis}`
    return colour && emphasis !== '' ? all : emphasis
  })
}

const width = (text: string): number => stripVTControlCharacters(text).length
const padEnd = (text: string, to: number): string => text + ' '.repeat(Math.max(0, to - width(text)))
const padStart = (text: string, to: number): string => ' '.repeat(Math.max(0, to - width(text))) + text

/** Rows under headings; a column whose heading starts with `>` is aligned right. */
export function table(
  style: Style,
  headings: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const titles = headings.map((heading) => heading.replace(/^>/, ''))
  const widths = titles.map((title, at) => Math.max(width(title), ...rows.map((row) => width(row[at] ?? ''))))
  const line = (cells: readonly string[]) =>
    widths
      .map((size, at) => {
        const cell = cells[at] ?? ''
        return headings[at]?.startsWith('>') ? padStart(cell, size) : padEnd(cell, size)
      })
      .join('  ')
      .trimEnd()
  return [style.dim(line(titles)), ...rows.map(line)].join('\n')
}

/** Labels and values below each other; entries with undefined are left out. */
export function fields(style: Style, entries: readonly (readonly [string, string | undefined])[]): string {
  const shown = entries.filter((entry): entry is [string, string] => entry[1] !== undefined)
  const size = Math.max(0, ...shown.map(([label]) => label.length))
  return shown.map(([label, value]) => `${style.dim(label.padEnd(size))}  ${value}`).join('\n')
}

/** A titled block. */
export const section = (style: Style, title: string, body: string): string => `${style.bold(title)}\n${body}`

export const sections = (...parts: readonly (string | undefined)[]): string =>
  parts.filter((part) => part !== undefined && part !== '').join('\n\n')

/** The beginning and end of a long id. */
export const short = (id: string): string => (id.length > 16 ? `${id.slice(0, 8)}…${id.slice(-6)}` : id)
