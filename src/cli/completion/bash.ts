import { takesFile, type OperandKind, type VerbWords } from './word-list.ts'

/**
 * Returns the completion script for bash. Bash splits words at colons, which commands such as "mem:read" contain: the
 * script takes the words from the line itself, and removes the text up to the last colon from the completions.
 */
export function bashCompletion(verbs: VerbWords[]): string {
  return `# Completion of carrel and ppod for bash: source <(carrel completion bash)
_carrel() {
  local line=\${COMP_LINE:0:COMP_POINT} words word verb= skip= count=0 kind=verbs options= actions=
  local program=\${COMP_WORDS[0]}
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  local current=\${words[-1]} previous=\${words[-2]}
  for word in "\${words[@]:1:\${#words[@]}-2}"; do
    if [[ $skip ]]; then skip=; continue; fi
    if [[ $word == -* ]]; then
      [[ " ${valueOptions(verbs).join(' ')} " == *" $word "* ]] && skip=1
    elif [[ ! $verb ]]; then verb=$word
    else count=$((count + 1))
    fi
  done
  case $verb in
${verbs.map(verbCase).join('\n')}
  esac
  if [[ $skip ]]; then
    [[ " ${fileOptions(verbs).join(' ')} " == *" $previous "* ]] && kind=files || kind=nothing
  elif [[ $current == -* ]]; then
    kind=options
  fi
  local choices=
  case $kind in
    verbs) choices='${verbs.map(({ name }) => name).join(' ')}' ;;
    shells) choices='bash zsh fish' ;;
    options) choices=$options ;;
    actions) choices=$actions ;;
    processes) choices=$("$program" completion ids 2>/dev/null) ;;
    memory) choices=$("$program" completion memory 2>/dev/null) ;;
  esac
  local IFS=$' \\t\\n'
  [[ $kind == processes || $kind == memory ]] && IFS=$'\\n'
  if [[ $kind == files ]]; then
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
  else
    mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$current")
  fi
  local before=\${current%"\${current##*:}"}
  [[ $COMP_WORDBREAKS == *:* && $before ]] && COMPREPLY=("\${COMPREPLY[@]#"$before"}")
  return 0
}
complete -F _carrel carrel ppod
`
}

function verbCase({ name, options, actions, operands }: VerbWords): string {
  const kinds: OperandKind[] = operands.length > 0 ? operands : ['nothing']
  const choose = kinds
    .map((kind, index) => (index === kinds.length - 1 ? `*) kind=${kind} ;;` : `${index}) kind=${kind} ;;`))
    .join(' ')
  const words = [
    `options='${options.map(([option]) => `--${option}`).join(' ')}'`,
    ...(actions.length > 0 ? [`actions='${actions.join(' ')}'`] : []),
  ]
  return `    ${name}) ${words.join(' ')}; case $count in ${choose} esac ;;`
}

function valueOptions(verbs: VerbWords[]): string[] {
  return optionWords(verbs.flatMap(({ options }) => options.filter(([, { type }]) => type === 'string')))
}

function fileOptions(verbs: VerbWords[]): string[] {
  return optionWords(verbs.flatMap(({ options }) => options.filter(([, option]) => takesFile(option))))
}

function optionWords(options: VerbWords['options']): string[] {
  return [...new Set(options.flatMap(([name, { short }]) => (short ? [`--${name}`, `-${short}`] : [`--${name}`])))]
}
