import { bashCompletion } from '../completion/bash.ts'
import { fishCompletion } from '../completion/fish.ts'
import { shells, wordList } from '../completion/word-list.ts'
import { zshCompletion } from '../completion/zsh.ts'
import { openClient } from '../open-client.ts'
import { UsageError } from '../usage-error.ts'
import type { Call, Verb } from '../verb.ts'

/** A user who presses Tab does not wait for a server that is away. */
const maxWaitMs = 2000

export const completion: Verb = {
  usage: 'completion <shell>',
  description: `
Prints the script that completes commands, options, process ids and memory paths in bash, zsh or fish:

  source <(carrel completion bash)     in ~/.bashrc
  source <(carrel completion zsh)      in ~/.zshrc, after compinit
  carrel completion fish | source      in ~/.config/fish/config.fish

The scripts call "ids" and "memory", which print process ids and memory paths.`,
  examples: [],
  options: {},
  shared: [],
  operands: [1, 1],
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
  ids: async ({ program, values }) => {
    const client = await openClient(program, values, { timeoutMs: maxWaitMs })
    const processes = await client.processes.list()
    return lines(processes.filter(({ status }) => status === 'running').map(({ processId }) => processId))
  },
  memory: async ({ program, values }) => {
    const client = await openClient(program, values, { timeoutMs: maxWaitMs })
    return lines((await client.memory.list()).map(({ path }) => path))
  },
}

/** Returns one word a line, without words that contain line breaks. */
function lines(words: string[]): string {
  return words
    .filter((word) => !/[\n\r]/.test(word))
    .map((word) => `${word}\n`)
    .join('')
}
