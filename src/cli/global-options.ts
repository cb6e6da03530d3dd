import type { Option, Options } from './verb.ts'

/** Options of several commands, before or after their name. Each command names those that mean something to it. */
export const sharedOptions = {
  session: { type: 'string', value: '<name>', help: 'The sandbox to work in' },
  cwd: { type: 'string', value: '<path>', help: 'The working folder in the sandbox' },
  env: {
    type: 'string',
    multiple: true,
    value: '<k=v>',
    help: 'A variable for the program; repeatable; <k> alone copies the local value',
  },
  timeout: {
    type: 'string',
    value: '<ms>',
    help: 'Time limit in milliseconds, of the program or the request; 0: none',
  },
  json: { type: 'boolean', help: 'Print JSON, for programs' },
} as const satisfies Options

export type SharedOption = keyof typeof sharedOptions

/** Options of every command. */
export const commonOptions = {
  url: { type: 'string', value: '<url>', help: 'The server (default: http://127.0.0.1:4280)' },
  token: { type: 'string', value: '<token>', help: 'The token (default: the one that "login" saved)' },
  help: { type: 'boolean', short: 'h', help: 'Show the help' },
} as const satisfies Options

/** Everything that is accepted in front of a command, and behind it. */
export const globalOptions: Record<string, Option> = { ...sharedOptions, ...commonOptions }
