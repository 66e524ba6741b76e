/**
 * Writes docs/cli.md from the tree of commands; `--check` only compares and fails on a difference.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Argument, Command, Option } from 'commander'
import { EXIT_CODES } from '../exit-codes.ts'
import { processIo } from '../io.ts'
import { createProgram } from '../program.ts'

const file = fileURLToPath(new URL('../../../docs/cli.md', import.meta.url))

function reference(program: Command): string {
  const leaves = commandsBelow(program)
  return [
    '# Command line',
    '',
    'Generated from the program by `node node/cli/scripts/generate-docs.ts`. How to use it: ' +
      '[node/cli/README.md](../node/cli/README.md).',
    '',
    '## Options of every command',
    '',
    optionTable(program.options),
    '## Exit codes',
    '',
    'A refusal never exits with 0. A number never changes its meaning.',
    '',
    table(
      ['code', 'meaning'],
      Object.values(EXIT_CODES).map(({ code, meaning }) => [`${code}`, meaning]),
    ),
    '## Commands',
    '',
    ...leaves.map((command) => `- [${path(command)}](#${anchor(path(command))}): ${command.summary()}`),
    '',
    ...leaves.map(describe),
  ].join('\n')
}

function commandsBelow(command: Command): Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(commandsBelow)
}

function describe(command: Command): string {
  const [summary, ...details] = command.description().split('\n\n')
  const usage = [path(command), ...command.registeredArguments.map(argumentText)].join(' ')
  return [
    `### ${path(command)}`,
    '',
    `${capital(summary ?? '')}.${details.length > 0 ? ` ${details.join(' ')}` : ''}`,
    '',
    '```sh',
    command.options.length > 0 ? `${usage} [options]` : usage,
    '```',
    '',
    ...(command.options.length > 0 ? [optionTable(command.options)] : []),
  ].join('\n')
}

function path(command: Command): string {
  return command.parent ? `${path(command.parent)} ${command.name()}` : command.name()
}

const anchor = (title: string): string => title.replaceAll(' ', '-')

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

function argumentText(argument: Argument): string {
  const name = argument.argChoices ? argument.argChoices.join('|') : argument.name()
  const variadic = argument.variadic ? '...' : ''
  return argument.required ? `<${name}${variadic}>` : `[${name}${variadic}]`
}

function optionTable(options: readonly Option[]): string {
  return table(
    ['option', 'meaning'],
    options.map((item) => [`\`${item.flags}\``, optionText(item)]),
  )
}

function optionText({ description, mandatory, argChoices, defaultValue }: Option): string {
  const notes = [
    ...(mandatory ? ['needed'] : []),
    ...(argChoices ? [`one of ${argChoices.join(', ')}`] : []),
    ...(typeof defaultValue === 'string' ? [`default ${defaultValue}`] : []),
  ]
  return notes.length > 0 ? `${description} (${notes.join('; ')})` : description
}

function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return `${[line(headings), line(headings.map(() => '---')), ...rows.map(line)].join('\n')}\n`
}

const program = createProgram({ io: processIo(), finish: () => undefined })
const generated = `${reference(program).trimEnd()}\n`

if (!process.argv.includes('--check')) {
  await writeFile(file, generated)
  process.stdout.write('docs/cli.md written\n')
} else if ((await readFile(file, 'utf8').catch(() => '')) !== generated) {
  process.stderr.write('docs/cli.md is out of date: run node node/cli/scripts/generate-docs.ts\n')
  process.exitCode = 1
}
