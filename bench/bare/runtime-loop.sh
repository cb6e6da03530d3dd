# Times commands for its parent, one for each line of stdin, with the cheapest way to start a program, so that Carrel is
# compared with the runtime and nothing else. Answers each line with microseconds and the output's first line.
# Arguments: a file with the argv of `run` and one with that of `exec`, a NUL after each word.
mapfile -d '' -t run <"$1"
mapfile -d '' -t exec <"$2"
while read -r what total atOnce; do
  started=${EPOCHREALTIME/./}
  case $what in
    run) output=$("${run[@]}") ;;
    exec) output=$("${exec[@]}") ;;
    many) output=$(seq "$total" | xargs -P "$atOnce" -I{} "${exec[@]}" | sort | uniq -c) ;;
  esac
  ended=${EPOCHREALTIME/./}
  echo "$((ended - started)) ${output//$'\n'/ }"
done
