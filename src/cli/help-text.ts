import { configPaths, shortPath } from './config-file.ts'
import { globalOptions } from './global-options.ts'
import type { Program } from './program.ts'
import { table } from './table.ts'
import type { Options, Verb } from './verb.ts'
import { verbs } from './verbs.ts'

/** Returns the help for all commands. */
export function programHelp(program: Program): string {
  const { name } = program
  const [own, other] = configPaths(program).map(shortPath)
  return [
    `${name}: isolated Linux computers from the command line\n\n`,
    `Usage: ${name} [options] <command>\n\n`,
    `Commands:\n${indent(
      table(
        [{}, {}],
        Object.values(verbs).map(({ synopsis, summary }) => [synopsis, summary]),
      ),
    )}\n`,
    `Options:\n${optionList(globalOptions)}\n`,
    `A saved token is read from ${own}, else from ${other}.\n`,
    `Exit codes: 0, 1 after a refusal or failure, 2 for wrong usage; exec has that of the command, and 255 when exec itself fails.\n`,
    `"${name} <command> --help" explains a command.\n`,
  ].join('')
}

/** Returns the help for one command. */
export function verbHelp({ name }: Program, { usage, description, options }: Verb): string {
  const own = Object.keys(options).length > 0 ? `Options:\n${optionList(options)}\n` : ''
  return `Usage: ${name} ${usage}\n\n${description.trim()}\n\n${own}Global options:\n${optionList(globalOptions)}`
}

function optionList(options: Options): string {
  const rows = Object.entries(options).map(([name, { short, value, help }]) => [
    `${short ? `-${short}, ` : '    '}--${name}${value ? ` ${value}` : ''}`,
    help,
  ])
  return indent(table([{}, {}], rows))
}

function indent(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '  ')
}
