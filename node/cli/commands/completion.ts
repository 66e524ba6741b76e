import type { Command } from 'commander'
import { addCommand, type Tree } from '../command.ts'

export function registerCompletion(tree: Tree, program: Command): void {
  const completion = addCommand(tree, program, {
    name: 'completion <shell>',
    summary: 'print a completion script for bash, zsh or fish',
    details:
      'bash and zsh: add `eval "$(postrider completion bash)"` to the start-up file; fish: pipe it to source.',
    run: async (_cli, [shell = '']) => {
      const script = shell === 'fish' ? fishScript(program) : bashScript(program, shell === 'zsh')
      return { data: { shell, script }, text: script }
    },
  })
  completion.registeredArguments[0]?.choices(['bash', 'zsh', 'fish'])
}

type Place = { path: string[]; words: string[] }

/** Every command with the words that may follow it. */
function places(command: Command, path: string[] = []): Place[] {
  const names = command.commands.map((child) => child.name())
  const flags = command.options.map(({ long }) => long).filter((flag) => flag !== undefined && flag !== null)
  const here = { path, words: [...names, ...flags, '--help'] }
  return [here, ...command.commands.flatMap((child) => places(child, [...path, child.name()]))]
}

function bashScript(program: Command, zsh: boolean): string {
  const cases = places(program).map(
    ({ path, words }) => `    '${path.join(' ')}') words='${words.join(' ')}' ;;`,
  )
  return `${zsh ? 'autoload -U +X bashcompinit && bashcompinit\n' : ''}_postrider() {
  local word path='' words=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    [[ $word == -* ]] || path="\${path:+$path }$word"
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _postrider postrider`
}

function fishScript(program: Command): string {
  return places(program)
    .filter(({ words }) => words.length > 0)
    .map(({ path, words }) => {
      const seen = path.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and ')
      const condition = seen === '' ? '__fish_use_subcommand' : seen
      return `complete -c postrider -f -n '${condition}' -a '${words.join(' ')}'`
    })
    .join('\n')
}
