import { contextOptions, takesFile, type OperandKind, type VerbWords } from './word-list.ts'

/**
 * Returns the completion script for bash. Bash splits words at colons, which commands such as "mem:read" contain: the
 * script takes the words from the line itself, and removes the text up to the last colon from the completions. Names
 * from the server are never expanded, and are quoted: a sandbox can name its files as it likes.
 */
export function bashCompletion(verbs: VerbWords[]): string {
  return `# Completion of carrel and ppod for bash: source <(carrel completion bash)
_carrel() {
  local line=\${COMP_LINE:0:COMP_POINT} words word verb= skip= count=0 kind=verbs options= actions= command=
  local program=\${COMP_WORDS[0]} context=()
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  local current=\${words[-1]} previous=\${words[-2]}
  for word in "\${words[@]:1:\${#words[@]}-2}"; do
    if [[ $skip ]]; then
      [[ " ${contextOptions.join(' ')} " == *" $skip "* ]] && context+=("$skip" "$word")
      skip=
    elif [[ $word == -* && ! ( $command && $count -gt 0 ) ]]; then
      [[ " ${valueOptions(verbs).join(' ')} " == *" $word "* ]] && skip=$word
      [[ " ${contextOptions.join(' ')} " == *" \${word%%=*} "* && $word == *=* ]] && context+=("$word")
    elif [[ ! $verb ]]; then
      verb=$word
      [[ " ${verbs
        .filter(({ takesCommand }) => takesCommand)
        .map(({ name }) => name)
        .join(' ')} " == *" $verb "* ]] && command=1
    else count=$((count + 1))
    fi
  done
  case $verb in
${verbs.map(verbCase).join('\n')}
  esac
  if [[ $skip == --session ]]; then
    kind=sandboxes
  elif [[ $skip ]]; then
    [[ " ${fileOptions(verbs).join(' ')} " == *" $previous "* ]] && kind=files || kind=nothing
  elif [[ $current == -* && ! ( $command && $count -gt 0 ) ]]; then
    kind=options
  fi
  [[ $kind == places ]] && { [[ $current =~ ^[[:alnum:]_.@-]*: ]] && kind=paths || kind=files; }
  [[ $kind == datasets && ( $previous == add || $previous == new ) ]] && kind=files
  local choices=
  case $kind in
    verbs) choices='${verbs.map(({ name }) => name).join(' ')}' ;;
    shells) choices='bash zsh fish' ;;
    options) choices=$options ;;
    actions) choices=$actions ;;
    processes | memory | sandboxes | computers | datasets | paths)
      choices=$("$program" "\${context[@]}" completion "$kind" -- "$current" "$previous" 2>/dev/null) ;;
  esac
  COMPREPLY=()
  if [[ $kind == files ]]; then
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
  else
    [[ $kind == verbs || $kind == shells || $kind == options || $kind == actions ]] && choices=\${choices// /$'\\n'}
    while IFS= read -r word; do
      [[ $word && $word == "$current"* ]] || continue
      printf -v word %q "$word"
      COMPREPLY+=("$word")
    done <<<"$choices"
  fi
  [[ $kind == paths && \${COMPREPLY[*]} == */ ]] && compopt -o nospace 2>/dev/null
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
