import { globalOptions } from '../global-options.ts'
import type { Option } from '../verb.ts'
import { contextOptions, takesFile, type OperandKind, type VerbWords } from './word-list.ts'

/** Returns the completion script for zsh, which uses `_arguments` and shows the help of each word. */
export function zshCompletion(verbs: VerbWords[]): string {
  return `#compdef carrel ppod
# Completion of carrel and ppod for zsh: source <(carrel completion zsh), or as _carrel in a folder of $fpath
_carrel_verbs() {
  local -a list=(
${verbs.map(({ name, summary }) => `    ${quote(`${name.replaceAll(':', String.raw`\:`)}:${summary}`)}`).join('\n')}
  )
  _describe -t commands command list
}
_carrel_lines() {
  local -a list context
  local at
  for ((at = 2; at < $#_carrel_words; at++)); do
    case $_carrel_words[at] in
      ${contextOptions.map((option) => `${option}=*`).join('|')}) context+=("\${(Q)_carrel_words[at]}") ;;
      ${contextOptions.join('|')}) context+=("$_carrel_words[at]" "\${(Q)_carrel_words[at + 1]}") ;;
    esac
  done
  list=("\${(@f)$($_carrel_program $context completion $1 -- "\${(Q)PREFIX}" "\${(Q)_carrel_words[-2]}" 2>/dev/null)}")
  compadd -S '' -- "\${(@M)list:#*/}"
  compadd -- "\${(@)list:#*/}"
}
_carrel_places() {
  if [[ $PREFIX == [A-Za-z0-9_.@-]#:* ]]; then _carrel_lines paths; else _files; fi
}
_carrel_datasets() {
  if [[ "\${(Q)_carrel_words[-2]}" == (add|new) ]]; then _files; else _carrel_lines datasets; fi
}
_carrel() {
  local curcontext=$curcontext state line _carrel_program=$words[1]
  local -a _carrel_words=("\${(@)words[1,CURRENT]}")
  local -A opt_args
  _arguments -C ${Object.entries(globalOptions)
    .map(([name, option]) => optionSpec(name, option))
    .join(' ')} '(-)1:command:_carrel_verbs' '(-)*::argument:->argument'
  [[ $state == argument ]] || return 0
  case $line[1] in
${verbs.map(verbCase).join('\n')}
  esac
}
if [[ $funcstack[1] == _carrel ]]; then _carrel "$@"; else compdef _carrel carrel ppod; fi
`
}

function verbCase(verb: VerbWords): string {
  const specs = [
    ...(verb.takesCommand ? ["-A '-*'"] : []),
    ...verb.options.map(([option, about]) => optionSpec(option, about)),
    ...operandSpecs(verb),
  ]
  return `    ${verb.name}) _arguments ${specs.join(' ')} ;;`
}

function optionSpec(name: string, option: Option): string {
  const { short, multiple, type, value, help } = option
  const long = `--${name}${type === 'string' ? '=' : ''}`
  const words = short ? `{-${short}${type === 'string' ? '+' : ''},${long}}` : long
  const again = multiple ? '*' : short ? `(-${short} --${name})` : ''
  const about = `[${help.replaceAll(/[[\]:\\]/g, String.raw`\$&`)}]`
  const action = name === 'session' ? actions.sandboxes : takesFile(option) ? '_files' : ''
  const argument = type === 'string' ? `:${value ?? name}:${action}` : ''
  return `${again ? quote(again) : ''}${words}${quote(about + argument)}`
}

function operandSpecs({ operands, actions: words, repeats }: VerbWords): string[] {
  return operands.map((kind, index) => {
    const place = index === operands.length - 1 && (repeats || kind === 'files') ? '*' : index + 1
    return quote(`${place}:${kind}:${kind === 'actions' ? `(${words.join(' ')})` : actions[kind]}`)
  })
}

const actions: Record<Exclude<OperandKind, 'actions'>, string> = {
  files: '_files',
  verbs: '_carrel_verbs',
  shells: '(bash zsh fish)',
  // After a space, `_arguments` calls them without adding options for compadd.
  processes: ' _carrel_lines processes',
  memory: ' _carrel_lines memory',
  sandboxes: ' _carrel_lines sandboxes',
  computers: ' _carrel_lines computers',
  datasets: ' _carrel_datasets',
  paths: ' _carrel_lines paths',
  places: ' _carrel_places',
  nothing: ' ',
}

function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}
