import { findAction, type Actions } from '../computers/action.ts'
import { add } from '../datasets/add.ts'
import { create } from '../datasets/create.ts'
import { remove } from '../datasets/remove.ts'
import { list, show } from '../datasets/show.ts'
import { openClient } from '../open-client.ts'
import type { Verb } from '../verb.ts'

const actions: Actions = {
  ls: { takes: '', run: list },
  show: { takes: '<dataset> [sample]', run: show },
  new: { takes: '<folder>', run: create },
  add: { takes: '<source>', run: add },
  remove: { takes: '<dataset> [sample]', run: remove },
}

export const datasets: Verb = {
  usage: 'datasets [options] [what] [dataset]',
  description: `
Lists the datasets of the server, or does one of these:

  ls                         lists them
  show <dataset> [sample]    lists its samples, or shows one of them
  new <folder>               writes a dataset with one task, to begin with
  add <source>               adds a dataset, or what is new in it: a folder,
                             an archive, rows (.jsonl, .parquet), or the
                             address of a git repository
  remove <dataset> [sample]  removes it, or one of its samples

A dataset has tasks of Harbor, Terminal-Bench 1 or SWE-bench, or of a plain format that "new" shows. A task that asks for
what the server cannot enforce is refused with its reason, and the others are added (code 1). Adding and removing takes
a token of the server's owner.`,
  examples: [
    ['datasets new greetings', 'a first dataset, in a folder'],
    ['datasets add greetings', 'adds what is in the folder'],
    ['datasets add https://git.example.com/tasks.git --path easy', 'a folder of a repository'],
    ['datasets show greetings hello', 'what an agent has to do'],
  ],
  options: {
    name: { type: 'string', value: '<name>', help: 'Name of the dataset (default: that of the source)' },
    about: { type: 'string', value: '<text>', help: 'Description of the dataset' },
    change: { type: 'string', value: '<text>', help: 'What changed, for samples that get a new version' },
    path: { type: 'string', value: '<path>', help: 'Folder of the repository that is added' },
    branch: { type: 'string', value: '<name>', help: 'Branch or tag of the repository' },
    search: { type: 'string', value: '<text>', help: 'Show only samples with this in their id' },
    yes: { type: 'boolean', short: 'y', help: 'Do not ask' },
  },
  shared: ['timeout', 'json'],
  actions: Object.keys(actions),
  operands: [0, 3],
  async run(call) {
    const [{ run }, found] = findAction(call, actions, 'datasets')
    return (await run(found, await openClient(call.program, call.values))) ?? 0
  },
}
