import { isatty } from 'node:tty'
import { WebSocket } from 'ws'
import type { ExecExit, ExecOptions, ExecSession } from '../../../sdk/index.ts'
import { parseEnv, parseTimeLimit } from '../arguments.ts'
import { reportConnection } from '../connection-report.ts'
import { outcomeOf } from '../exec-outcome.ts'
import { passInput } from '../exec-input.ts'
import { endProgram, passSignals } from '../exec-signals.ts'
import { openClient } from '../open-client.ts'
import { BrokenPipe } from '../output.ts'
import type { Program } from '../program.ts'
import { shellCommand } from '../shell-command.ts'
import { holdTerminal, terminalSize } from '../terminal.ts'
import { UsageError } from '../usage-error.ts'
import type { Call, Values, Verb } from '../verb.ts'

const languages = ['shell', 'python', 'javascript']

export const exec: Verb = {
  usage: 'exec [options] <command>',
  description: `
Runs a command to its end. Output is passed on byte for byte.

One word is a line for the shell, or code in another --lang. Several words are a program and its arguments, as they are
typed. The options of exec end at the first word, or at "--".

Exits with the code of the command: 127 for a program that does not exist, 126 for one that cannot be executed, 128 + n
when signal n ended it, 124 at the time limit. Exits with 255 when Carrel could not run it or its end is unknown, with 2
for wrong usage.

A stdin that is a pipe or a file is passed on. When stdin and stdout are terminals, the command gets a terminal too,
unless --no-tty is given. Ctrl-C goes to the command; without a terminal, the second Ctrl-C kills the command.`,
  examples: [
    ["exec 'ls | wc -l'", 'a line for the shell'],
    ['exec ls -la /', 'a program and its arguments'],
    ['exec bash', 'a shell in your terminal'],
    ["exec --lang python 'print(6 * 7)'", 'code'],
    ['exec sort < names.txt', 'with input from a file'],
  ],
  options: {
    lang: { type: 'string', value: '<language>', help: `${languages.join(', ')} (default: shell)` },
    interactive: { type: 'boolean', short: 'i', help: 'Pass stdin on, even from a terminal' },
    tty: { type: 'boolean', short: 't', help: 'Give the command a terminal' },
    'no-tty': { type: 'boolean', short: 'T', help: 'Give the command no terminal' },
    'no-stdin': { type: 'boolean', short: 'n', help: 'Do not read stdin, as in loops that read it themselves' },
    user: { type: 'string', short: 'u', value: '<user>', help: 'Run as this user of the sandbox' },
  },
  shared: ['session', 'cwd', 'env', 'timeout', 'json'],
  operands: [1, Infinity],
  takesCommand: true,
  async run({ program, values, operands }: Call): Promise<number> {
    const options = optionsOf(program, values, operands)
    const client = await openClient(program, { ...values, timeout: undefined }, { WebSocket })
    const signals = passSignals()
    try {
      let session: ExecSession | undefined
      const onConnection = (state: string) => {
        void reportConnection(program, state)
        // A full-screen program redraws what the message has overwritten.
        if (state === 'restored' && options.tty) session?.signal('SIGWINCH')
      }
      session = await client.exec({ ...options, signal: signals.gaveUp, onConnection })
      signals.reach(session)
      const exit = await Promise.race([follow(program, session, options, values.json === true), signals.killed])
      return signals.exitCode ?? (await finish(program, exit, options.timeoutMs, values.json === true))
    } catch (error) {
      if (signals.exitCode !== undefined) return signals.exitCode
      throw error
    } finally {
      signals.release()
    }
  },
}

function optionsOf(program: Program, values: Values, operands: string[]): ExecOptions {
  const { lang = 'shell' } = values
  if (typeof lang !== 'string' || !languages.includes(lang)) {
    throw new UsageError(`Cannot run the language "${String(lang)}": it has to be one of ${languages.join(', ')}`)
  }
  if (operands.length > 1 && lang !== 'shell') {
    throw new UsageError(`Cannot run several arguments as ${lang}: quote the code, so that it is one argument`)
  }
  const hasTerminal = wantsTerminal(program, values)
  return {
    command: shellCommand(operands),
    language: lang,
    stdin: wantsInput(values, hasTerminal),
    tty: hasTerminal ? terminalSize(program) : undefined,
    env: environment(program, values, hasTerminal),
    cwd: values.cwd,
    user: typeof values['user'] === 'string' ? values['user'] : undefined,
    timeoutMs: parseTimeLimit(values.timeout),
  }
}

function wantsTerminal(program: Program, values: Values): boolean {
  if (values['tty'] && (values['no-tty'] || values.json)) {
    throw new UsageError(`Cannot use "--tty" and "--${values.json ? 'json' : 'no-tty'}" together`)
  }
  if (values['no-tty'] || values.json) return false
  return values['tty'] === true || (!values['no-stdin'] && isatty(0) && program.stdout.isTerminal)
}

function wantsInput(values: Values, hasTerminal: boolean): boolean {
  if (values['no-stdin']) return false
  return values['interactive'] === true || hasTerminal || !isatty(0)
}

/** Adds the type of the terminal, without which programs would draw for another type. */
function environment(program: Program, values: Values, hasTerminal: boolean): Record<string, string> | undefined {
  const given = parseEnv(values.env, program.env)
  const kind = program.env['TERM']
  return hasTerminal && kind ? { TERM: kind, ...given } : given
}

/** Passes input and output on until the program ends. Returns how it ended. */
async function follow(
  program: Program,
  session: ExecSession,
  { stdin, tty }: ExecOptions,
  asJson: boolean,
): Promise<ExecExit> {
  const restore = tty ? holdTerminal(program, session) : undefined
  if (stdin) void passInput(program, session)
  try {
    if (asJson) return await printResult(program, session)
    for await (const { channel, data } of session) await program[channel].write(data)
    return await session.exit
  } catch (error) {
    if (error instanceof BrokenPipe) {
      // A local command would get the broken pipe itself; a remote one has to be ended.
      void discard(session)
      await endProgram(session, 'SIGTERM')
    }
    throw error
  } finally {
    restore?.()
  }
}

async function discard(session: ExecSession): Promise<void> {
  try {
    for await (const _ of session);
  } catch {
    // The end of the session is reported elsewhere.
  }
}

async function printResult(program: Program, session: ExecSession): Promise<ExecExit> {
  const { exitCode, signal, reason, truncated, ...output } = await session.result()
  await program.stdout.line(JSON.stringify({ exitCode, signal, reason, truncated, ...output }))
  return { exitCode, signal, reason, truncated }
}

async function finish(
  program: Program,
  end: ExecExit | number,
  timeoutMs: number | undefined,
  asJson: boolean,
): Promise<number> {
  if (typeof end === 'number') return end
  const { exitCode, sentences } = outcomeOf(end, timeoutMs)
  // The JSON contains the reason.
  if (asJson) return exitCode
  for (const sentence of sentences) await program.stderr.line(`${program.name}: ${sentence}`)
  return exitCode
}
