import {
  create,
  exec,
  get,
  list,
  remove,
  rename,
  restart,
  start,
  stop,
  usage,
  type Action,
} from '../computers/actions.ts'
import { sizeOptions } from '../computers/size-options.ts'
import { waitOptions } from '../computers/wait.ts'
import { openClient } from '../open-client.ts'
import type { Verb } from '../verb.ts'
import { exec as execVerb } from './exec.ts'

const actions: Record<string, Action> = {
  ls: list,
  create,
  get,
  start,
  stop,
  restart,
  rename,
  rm: remove,
  exec,
  usage,
}

export const computers: Verb = {
  usage: 'computers [options] [what] [computer]...',
  description: `
Lists your computers, which keep their files until you delete them, or does one of these:

  ls                           lists them; with --long also image and id
  create [handle]              creates one and starts it
  get <computer>               shows everything about it
  start, stop, restart <...>   the files stay
  rename <computer> <handle>   changes the handle; --name changes the name for people
  rm <computer>...             deletes it with its files
  exec <computer> -- <command> runs a command in it, as "exec" does
  usage <computer>...          shows what it has used

A computer is given by its handle or id. At a terminal, one can be chosen from a list instead. Every other command works
in a computer too: its handle is the name that --session and "use" take.`,
  examples: [
    ['computers create build --size ram-4g', 'with 4 GiB of memory'],
    ['computers exec build -- ls -la', 'a command in it'],
    ['computers stop build', 'its files stay'],
    ['computers rm --yes build', 'delete it without a question'],
  ],
  options: {
    ...sizeOptions,
    image: { type: 'string', value: '<id>', help: 'Image of a new computer (default: that of the server)' },
    name: { type: 'string', value: '<name>', help: 'Name for people' },
    long: { type: 'boolean', short: 'l', help: 'Show more of each computer' },
    yes: { type: 'boolean', short: 'y', help: 'Delete without asking; without a terminal nothing is asked anyway' },
    ...waitOptions,
    ...execVerb.options,
  },
  shared: ['cwd', 'env', 'timeout', 'json'],
  actions: Object.keys(actions),
  operands: [0, Infinity],
  async run(call) {
    const [what = 'ls'] = call.operands
    return (await actions[what]!(call, await openClient(call.program, call.values))) ?? 0
  },
}
