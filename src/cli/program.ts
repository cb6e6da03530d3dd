import { Output } from './output.ts'

/** The running CLI, as its verbs see it. */
export interface Program {
  /** How it was called: `ppod` puts PaperPod's variables and file first, `carrel` its own. */
  name: 'carrel' | 'ppod'
  env: Record<string, string | undefined>
  stdout: Output
  stderr: Output
  /** The command that was called, once it is known. */
  verb?: string
  /** Where the token in use is from; undefined without one. */
  tokenSource?: string | undefined
}

export function currentProgram(): Program {
  return {
    name: process.env['CARREL_CLI_NAME'] === 'ppod' ? 'ppod' : 'carrel',
    env: process.env,
    stdout: new Output(process.stdout),
    stderr: new Output(process.stderr),
  }
}
