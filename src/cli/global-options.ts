import type { Options } from './verb.ts'

/** Options of every command, before or after its name. */
export const globalOptions: Options = {
  json: { type: 'boolean', help: 'Print JSON, for programs' },
  session: {
    type: 'string',
    value: '<id>',
    help: 'The sandbox (CARREL_SESSION; default: that of "use", else your own)',
  },
  url: { type: 'string', value: '<url>', help: 'The server (CARREL_URL; default: http://127.0.0.1:4280)' },
  token: { type: 'string', value: '<token>', help: 'The token (CARREL_TOKEN; default: the one that "login" saved)' },
  timeout: {
    type: 'string',
    value: '<ms>',
    help: 'Time limit in milliseconds, of the program or the request; 0: none',
  },
  env: {
    type: 'string',
    multiple: true,
    value: '<k=v>',
    help: 'A variable for the program; repeatable; <k> alone copies the local value',
  },
  cwd: { type: 'string', value: '<path>', help: 'The working folder in the sandbox' },
  help: { type: 'boolean', short: 'h', help: 'Show this help' },
}
