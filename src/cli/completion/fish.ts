import { takesFile, type OperandKind, type VerbWords } from './word-list.ts'

/** Returns the completion script for fish. */
export function fishCompletion(verbs: VerbWords[]): string {
  return `# Completion of carrel and ppod for fish: carrel completion fish | source
set -l verbs ${quote(verbs.map(({ name }) => name).join(' '))}
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
      const value = about.type === 'string' ? (takesFile(about) ? ' -r -F' : ' -x') : ''
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

const actions: Record<OperandKind, string> = {
  files: '-F',
  verbs: '-a "$verbs"',
  shells: "-a 'bash zsh fish'",
  // The name is inserted at once; the rest is run with each completion.
  processes: `-a "($program completion ids 2>/dev/null)"`,
  memory: `-a "($program completion memory 2>/dev/null)"`,
  // Actions belong to the command and are completed above.
  actions: '',
  nothing: '',
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", String.raw`\'`)}'`
}
