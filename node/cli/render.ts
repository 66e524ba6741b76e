import { stripVTControlCharacters, styleText } from 'node:util'
import { formatAmount } from '@postrider/protocol/payment'
import { z } from 'zod'
import { etherAmount, postAmount } from '../api/schemas/common.ts'

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

/** An amount of tokens for people. */
export const post = (amount: bigint): string => formatAmount(amount)

/** An amount of the chain's coin for people, exact. */
export const ether = (wei: bigint): string => formatAmount(wei).replace(/POST$/, 'ETH')

/** Amounts as the API writes them, so that one reader fits both. */
export const postJson = (amount: bigint) => z.encode(postAmount, amount)
export const etherJson = (wei: bigint) => z.encode(etherAmount, wei)

/** UTC to the second. */
export const time = (unixMs: number): string =>
  new Date(unixMs)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, ' UTC')

/** A span for people, in its two largest units. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor((seconds % 86_400) / 3_600), 'h'],
    [Math.floor((seconds % 3_600) / 60), 'min'],
    [seconds % 60, 's'],
  ]
  const first = parts.findIndex(([value]) => value > 0)
  if (first === -1) return '0 s'
  return parts
    .slice(first, first + 2)
    .filter(([value]) => value > 0)
    .map(([value, unit]) => `${value} ${unit}`)
    .join(' ')
}

/** The beginning and end of a long id. */
export const short = (id: string): string => (id.length > 16 ? `${id.slice(0, 8)}…${id.slice(-6)}` : id)
