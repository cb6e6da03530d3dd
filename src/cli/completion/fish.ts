import type { Option } from '../verb.ts'
import { contextOptions, takesFile, type OperandKind, type VerbWords } from './word-list.ts'

/** Returns the completion script for fish. */
export function fishCompletion(verbs: VerbWords[]): string {
  return `# Completion of carrel and ppod for fish: carrel completion fish | source
set -l verbs ${quote(verbs.map(({ name }) => name).join(' '))}
function __carrel_ask --description 'Ask the server about what is typed'
    set -l context
    set -l words (commandline -opc)
    for at in (seq 2 (count $words))
        if string match -qr '^(${contextOptions.join('|')})=' -- $words[$at]
            set -a context $words[$at]
        else if contains -- $words[$at] ${contextOptions.join(' ')}; and set -q words[(math $at + 1)]
            set -a context $words[$at] $words[(math $at + 1)]
        end
    end
    set -l typed (string unescape -- (commandline -ct))
    $words[1] $context completion $argv[1] -- "$typed" "$words[-1]" 2>/dev/null
end
for program in carrel ppod
    complete -c $program -f
${verbs.map(({ name, summary }) => `    complete -c $program -n __fish_use_subcommand -a ${name} -d ${quote(summary)}`).join('\n')}
${verbs.flatMap(verbLines).join('\n')}
end
`
}

function verbLines({ name, options, actions: words, operands }: VerbWords): string[] {
  const begin = `    complete -c $program -n '__fish_seen_subcommand_from ${name}'`
  return [
    ...options.map(([option, about]) => {
      const short = about.short ? ` -s ${about.short}` : ''
      const value = about.type === 'string' ? valueOf(option, about) : ''
      return `${begin}${short} -l ${option}${value} -d ${quote(about.help)}`
    }),
    ...(words.length > 0
      ? [
          `    complete -c $program -n '__fish_seen_subcommand_from ${name}; and not __fish_seen_subcommand_from ${words.join(' ')}' -a ${quote(words.join(' '))}`,
        ]
      : []),
    ...[...new Set(operands)].flatMap((kind) => {
      const action = actions[kind]
      return action ? [`${begin} ${action}`] : []
    }),
  ]
}

/** Returns what completes the value of an option. */
function valueOf(name: string, option: Option): string {
  if (name === 'session') return ` -x -a ${quote('(__carrel_ask sandboxes)')}`
  return takesFile(option) ? ' -r -F' : ' -x'
}

const actions: Record<OperandKind, string> = {
  files: '-F',
  verbs: '-a "$verbs"',
  shells: "-a 'bash zsh fish'",
  processes: "-a '(__carrel_ask processes)'",
  memory: "-a '(__carrel_ask memory)'",
  sandboxes: "-a '(__carrel_ask sandboxes)'",
  computers: "-a '(__carrel_ask computers)'",
  datasets: "-F -a '(__carrel_ask datasets)'",
  paths: "-a '(__carrel_ask paths)'",
  places: "-F -a '(__carrel_ask places)'",
  // Actions belong to the command and are completed above.
  actions: '',
  nothing: '',
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", String.raw`\'`)}'`
}
