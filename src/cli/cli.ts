import { parseCall, splitVerb } from './arguments.ts'
import { reportFailure } from './failure.ts'
import { currentProgram } from './program.ts'
import type { Program } from './program.ts'
import { UsageError } from './usage-error.ts'
import { suggestion } from '../suggestion.ts'
import type { Verb } from './verb.ts'
import { otherNames, verbs } from './verbs.ts'
import { unsupportedVerbs } from './unsupported-verbs.ts'

/** Runs one command line and ends the process with its exit code. */
export async function cli(args: string[]): Promise<never> {
  const program = currentProgram()
  const exitCode = await run(program, args).catch((error) =>
    reportFailure(program, error, program.asJson ?? wantsJson(args)),
  )
  await Promise.all([program.stdout.flush(), program.stderr.flush()])
  // Open handles, such as a stdin that is never closed, must not keep the program running.
  process.exit(exitCode)
}

async function run(program: Program, args: string[]): Promise<number> {
  const { verb: name, rest } = splitVerb(args)
  if (name === undefined) return runBare(program, rest)
  const verb = await loadVerb(name)
  program.verb = name
  const { values, operands } = parseCall(rest, verb, program.name)
  program.asJson = values.json === true
  if (values.help) {
    const { verbHelp } = await import('./help-text.ts')
    await program.stdout.write(verbHelp(program, verb))
    return 0
  }
  checkOperands(program, verb, operands)
  return verb.run({ program, values, operands })
}

/** Shows the help or the version, as there is no command. */
async function runBare(program: Program, args: string[]): Promise<number> {
  const { values } = parseCall(args, { options: { version: { type: 'boolean', short: 'v', help: '' } } })
  const verb = await loadVerb(values['version'] ? 'version' : 'help')
  return verb.run({ program, values, operands: [] })
}

function loadVerb(name: string): Promise<Verb> {
  const entry = Object.hasOwn(verbs, name) ? verbs[name] : undefined
  if (entry) return entry.load()
  if (unsupportedVerbs.includes(name))
    throw new Error(`Cannot run "${name}": it is a command of PaperPod that Carrel does not offer yet`)
  throw new UsageError(`Unknown command "${name}"${suggestion(name, Object.keys(verbs), otherNames)}`)
}

function checkOperands(program: Program, verb: Verb, operands: string[]): void {
  const {
    usage,
    actions,
    operands: [min, max],
  } = verb
  const [action] = operands
  if (actions && action !== undefined && !actions.includes(action))
    throw new UsageError(
      `Cannot do "${action}" with ${program.verb}${suggestion(action, [...actions]) || `: it has to be one of ${actions.join(', ')}`}`,
    )
  if (operands.length >= min && operands.length <= max) return
  const problem = operands.length < min ? 'An argument is missing' : `Cannot use "${operands[max]}"`
  throw new UsageError(`${problem}: the command is "${program.name} ${usage}"`)
}

/** Returns whether arguments that could not be parsed ask for JSON. */
function wantsJson(args: string[]): boolean {
  const end = args.indexOf('--')
  return args.slice(0, end === -1 ? args.length : end).includes('--json')
}
