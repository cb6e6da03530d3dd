import { configPaths, shortPath } from './config-file.ts'
import { commonOptions, sharedOptions } from './global-options.ts'
import { offeredVerbs } from './offered-verbs.ts'
import type { Program } from './program.ts'
import { table } from './table.ts'
import type { Options, Verb } from './verb.ts'
import { groups } from './verbs.ts'
import { wrap } from './wrap.ts'

/** Wider lines are hard to read. */
const maxWidth = 80

/** Returns the help for all commands. */
export function programHelp(program: Program): string {
  const { name } = program
  const [own, other] = configPaths(program).map(shortPath)
  return fit(program, [
    `${name}: isolated Linux computers from the command line`,
    `Usage: ${name} [options] <command>`,
    ...commandGroups(),
    `Examples:\n${indent(`${examples.map((line) => `${name} ${line}`).join('\n')}\n`)}`,
    `Options:\n${optionList({ ...sharedOptions, ...commonOptions })}`,
    `A sandbox is a Linux computer of your own, with a name. Without --session, CARREL_SESSION names it, else the choice of "${name} use", else it is your default one. CARREL_URL and CARREL_TOKEN stand for --url and --token. A saved token is read from ${own}, else from ${other}.`,
    `Exit codes: 0, 1 after a refusal or failure, 2 for wrong usage; exec, attach and interpret have codes of their own.`,
    `"${name} help <command>" explains a command.`,
  ])
}

const examples = [
  "exec 'git --version; python3 --version'",
  'exec ls -la /',
  'exec bash',
  'cp src :app',
  "start --id web 'python3 -m http.server 8080'",
  'expose 8080',
  'exec --session build make test',
]

/** Returns the help for one command. */
export function verbHelp(program: Program, { usage, description, examples, options, shared }: Verb): string {
  const { name } = program
  const all = { ...options, ...Object.fromEntries(shared.map((option) => [option, sharedOptions[option]])) }
  const lines = examples.map(([line, about]) => [`${name} ${line}`, about])
  return fit(program, [
    `Usage: ${name} ${usage}`,
    description.trim(),
    ...(lines.length > 0 ? [`Examples:\n${indent(table([{}, {}], lines))}`] : []),
    ...(Object.keys(all).length > 0 ? [`Options:\n${optionList(all)}`] : []),
    `"${name} help" lists all commands, and the options of every command.`,
  ])
}

function commandGroups(): string[] {
  const entries = offeredVerbs().map(([, entry]) => entry)
  const width = Math.max(...entries.map(({ synopsis }) => synopsis.length))
  return groups.flatMap((title) => {
    const rows = entries.filter(({ group }) => group === title)
    if (rows.length === 0) return []
    return `${title}:\n${indent(
      table(
        [{}, {}],
        rows.map(({ synopsis, summary }) => [synopsis.padEnd(width), summary]),
      ),
    )}`
  })
}

function optionList(options: Options): string {
  const rows = Object.entries(options).map(([name, { short, value, help }]) => [
    `${short ? `-${short}, ` : '    '}--${name}${value ? ` ${value}` : ''}`,
    help,
  ])
  return indent(table([{}, {}], rows))
}

/** Joins the parts with an empty line between two, in lines that fit the terminal. */
function fit({ stdout }: Program, parts: string[]): string {
  const text = `${parts.map((part) => part.trimEnd()).join('\n\n')}\n`
  return wrap(text, Math.min(stdout.width ?? maxWidth, maxWidth))
}

function indent(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '  ')
}
