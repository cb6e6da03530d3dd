import { Output } from './output.ts'

/** The running CLI, as its verbs see it. */
export interface Program {
  /** The name that was called: `ppod` prefers PaperPod's variables and file, `carrel` its own. */
  name: 'carrel' | 'ppod'
  env: Record<string, string | undefined>
  stdout: Output
  stderr: Output
  /** The command, once it is known. */
  verb?: string
  /** Whether errors are printed as JSON, once the options are known. */
  asJson?: boolean
  /** Where the token comes from; undefined without a token. */
  tokenSource?: string | undefined
}

/** Returns the running program. */
export function currentProgram(): Program {
  return {
    name: process.env['CARREL_CLI_NAME'] === 'ppod' ? 'ppod' : 'carrel',
    env: process.env,
    stdout: new Output(process.stdout),
    stderr: new Output(process.stderr),
  }
}
