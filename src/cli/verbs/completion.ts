import { bashCompletion } from '../completion/bash.ts'
import { fishCompletion } from '../completion/fish.ts'
import { shells, wordList } from '../completion/word-list.ts'
import { zshCompletion } from '../completion/zsh.ts'
import type { Carrel } from '../../../sdk/index.ts'
import { computerWords } from '../completion/computer-words.ts'
import { remotePaths } from '../completion/remote-paths.ts'
import { clientOf } from '../open-client.ts'
import { printable } from '../printable.ts'
import { readSettings } from '../settings.ts'
import { UsageError } from '../usage-error.ts'
import type { Call, Verb } from '../verb.ts'

/** A user who presses Tab does not wait for a server that is away. */
const maxWaitMs = 2000

export const completion: Verb = {
  usage: 'completion <shell>',
  description: `
Prints the script that completes commands, options, and names from the server (paths, processes, sandboxes, computers, datasets,
memory files) in bash, zsh or fish:

  source <(carrel completion bash)     in ~/.bashrc
  source <(carrel completion zsh)      in ~/.zshrc, after compinit
  carrel completion fish | source      in ~/.config/fish/config.fish

Paths and processes are those of the sandbox that --session, CARREL_SESSION or "use" chooses. Nothing is started for
them: a sandbox that does not run has none.`,
  examples: [],
  options: {},
  shared: [],
  operands: [1, 3],
  async run(call) {
    const [what = ''] = call.operands
    const make = Object.hasOwn(made, what) ? made[what] : undefined
    if (!make) throw new UsageError(`Cannot complete for "${what}": it has to be one of ${shells.join(', ')}`)
    await call.program.stdout.write(await make(call))
    return 0
  },
}

const made: Record<string, (call: Call) => Promise<string>> = {
  bash: async () => bashCompletion(await wordList()),
  zsh: async () => zshCompletion(await wordList()),
  fish: async () => fishCompletion(await wordList()),
  // The scripts call the rest, with what is typed of the word, and the word before.
  processes: async (call) => {
    const { client } = await open(call)
    const processes = await client.processes.list()
    return lines(processes.filter(({ status }) => status === 'running').map(({ processId }) => processId))
  },
  memory: async (call) => lines((await (await open(call)).client.memory.list()).map(({ path }) => path)),
  sandboxes: async (call) => lines((await (await open(call)).client.sandboxes.list()).map(({ name }) => name)),
  computers: async (call) => {
    const { client } = await open(call)
    return lines(await computerWords(client, call.operands[2] ?? ''))
  },
  datasets: async (call) => {
    // Behind the others is a local file.
    const takesName = ['show', 'remove'].includes(call.operands[2] ?? '')
    return takesName ? lines((await (await open(call)).client.datasets.list()).map(({ name }) => name)) : ''
  },
  paths: async (call) => {
    const { client, sandbox } = await open(call)
    return lines(await remotePaths(client, call.operands[1] ?? '', sandbox))
  },
  // Local paths are the shell's.
  places: async (call) => (call.operands[1]?.includes(':') ? made['paths']!(call) : ''),
}

async function open({ program, values }: Call): Promise<{ client: Carrel; sandbox: string }> {
  const settings = await readSettings(program, values)
  const client = clientOf(program, values, settings, { timeoutMs: maxWaitMs, maxRetries: 0 })
  return { client, sandbox: settings.sandbox?.name ?? '' }
}

/** Returns one word a line, without those that could control the terminal. */
function lines(words: string[]): string {
  return words
    .filter((word) => word !== '' && printable(word) === word)
    .map((word) => `${word}\n`)
    .join('')
}
