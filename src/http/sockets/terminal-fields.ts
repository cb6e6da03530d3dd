import { Type } from 'typebox'

/** The size of a terminal, in messages. */
export const terminalSize = Type.Object({
  cols: Type.Integer({ description: 'Columns', minimum: 1, maximum: 1000 }),
  rows: Type.Integer({ description: 'Rows', minimum: 1, maximum: 1000 }),
})

/** The signals that a message can send. */
export const signals = [
  'SIGINT',
  'SIGTERM',
  'SIGKILL',
  'SIGHUP',
  'SIGQUIT',
  'SIGUSR1',
  'SIGUSR2',
  'SIGWINCH',
  'SIGCONT',
  'SIGSTOP',
  'SIGTSTP',
] as const
