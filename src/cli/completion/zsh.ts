import { globalOptions } from '../global-options.ts'
import type { Option } from '../verb.ts'
import { takesFile, type OperandKind, type VerbWords } from './word-list.ts'

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
  local -a list=("\${(@f)$(\${_carrel_program} completion $1 2>/dev/null)}")
  compadd -a list
}
_carrel() {
  local curcontext=$curcontext state line _carrel_program=$words[1]
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

function verbCase({ name, options, actions: words, operands }: VerbWords): string {
  const specs = [...options.map(([option, about]) => optionSpec(option, about)), ...operandSpecs(operands, words)]
  return `    ${name}) _arguments ${specs.join(' ')} ;;`
}

function optionSpec(name: string, option: Option): string {
  const { short, multiple, type, value, help } = option
  const long = `--${name}${type === 'string' ? '=' : ''}`
  const words = short ? `{-${short}${type === 'string' ? '+' : ''},${long}}` : long
  const again = multiple ? '*' : short ? `(-${short} --${name})` : ''
  const about = `[${help.replaceAll(/[[\]:\\]/g, String.raw`\$&`)}]`
  const argument = type === 'string' ? `:${value ?? name}:${takesFile(option) ? '_files' : ''}` : ''
  return `${again ? quote(again) : ''}${words}${quote(about + argument)}`
}

function operandSpecs(operands: OperandKind[], words: readonly string[]): string[] {
  return operands.map((kind, index) => {
    const place = index === operands.length - 1 && kind === 'files' ? '*' : index + 1
    return quote(`${place}:${kind}:${kind === 'actions' ? `(${words.join(' ')})` : actions[kind]}`)
  })
}

const actions: Record<Exclude<OperandKind, 'actions'>, string> = {
  files: '_files',
  verbs: '_carrel_verbs',
  shells: '(bash zsh fish)',
  // After a space, `_arguments` calls them without adding options for compadd.
  processes: ' _carrel_lines ids',
  memory: ' _carrel_lines memory',
  nothing: ' ',
}

function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}
