import { findAction, innerActionsOf, type Actions } from '../computers/action.ts'
import { fork, restore } from '../computers/copies.ts'
import { create, remove, rename, restart, start, stop } from '../computers/lifecycle.ts'
import { open } from '../computers/open.ts'
import { listPorts, publishPort, withdrawPorts } from '../computers/ports.ts'
import { capacity, resize } from '../computers/resize.ts'
import { exec, ssh } from '../computers/run.ts'
import { createShare, listShares, removeShares } from '../computers/shares.ts'
import { get, list, usage } from '../computers/show.ts'
import { sizeOptions } from '../computers/size-options.ts'
import { createSnapshot, listSnapshots, removeSnapshots } from '../computers/snapshots.ts'
import { transfer } from '../computers/transfer.ts'
import { vnc } from '../computers/vnc.ts'
import { waitOptions } from '../computers/wait.ts'
import { openClient } from '../open-client.ts'
import type { Verb } from '../verb.ts'
import { exec as execVerb } from './exec.ts'

const actions: Actions = {
  ls: { takes: '', run: list },
  create: { takes: '[handle]', run: create },
  get: { takes: '<computer>...', run: get },
  start: { takes: '<computer>...', run: start },
  stop: { takes: '<computer>...', run: stop },
  restart: { takes: '<computer>...', run: restart },
  resize: { takes: '<computer>', run: resize },
  rename: { takes: '<computer> <handle>', run: rename },
  rm: { takes: '<computer>...', run: remove },
  exec: { takes: '<computer> -- <command>', run: exec },
  ssh: { takes: '<computer> [-- <command>]', run: ssh },
  open: { takes: '<computer>', run: open },
  vnc: { takes: '<computer>', run: vnc },
  snapshots: {
    ls: { takes: '[computer]', run: listSnapshots },
    create: { takes: '<computer>', run: createSnapshot },
    rm: { takes: '<snapshot>...', run: removeSnapshots },
  },
  restore: { takes: '<snapshot> [handle]', run: restore },
  fork: { takes: '<computer> [handle]', run: fork },
  ports: {
    ls: { takes: '<computer>', run: listPorts },
    publish: { takes: '<computer> <port>', run: publishPort },
    withdraw: { takes: '<computer> <port>...', run: withdrawPorts },
  },
  shares: {
    ls: { takes: '<computer>', run: listShares },
    create: { takes: '<computer>', run: createShare },
    rm: { takes: '<computer> <share>...', run: removeShares },
  },
  transfer: { takes: '<computer> <workspace>', run: transfer },
  usage: { takes: '<computer>...', run: usage },
  capacity: { takes: '[computer]', run: capacity },
}

export const computers: Verb = {
  usage: 'computers [options] [what] [computer]...',
  description: `
Lists your computers, which keep their files until you delete them, or does one of these:

  ls                                lists them; with --long also image and id
  create [handle]                   creates one and starts it
  get <computer>...                 shows everything about it
  start, stop, restart <...>        the files stay
  resize <computer>                 to --size, or to --memory, --storage or both
  rename <computer> <handle>        changes the handle, or with --name the name
  rm <computer>...                  deletes it with its files

  exec <computer> -- <command>      runs a command in it, as "exec" does
  ssh <computer> [-- <command>]     opens a shell in it by SSH, as "ssh" does
  open <computer>                   opens its page; with --vnc its desktop
  vnc <computer>                    opens a local port for VNC clients

  snapshots [ls] [computer]         lists snapshots, also automatic ones
  snapshots create <computer>       keeps its files as they are; it runs on
  snapshots rm <snapshot>...        deletes snapshots
  restore <snapshot> [handle]       makes a computer of it; with --in-place
                                    its files replace those of a computer
  fork <computer> [handle]          makes --count copies of it as it is now

  ports [ls] <computer>             lists the published ports
  ports publish <computer> <port>   publishes one, and prints its address
  ports withdraw <computer> <port>  withdraws it
  shares [ls] <computer>            lists the links that open it
  shares create <computer>          makes a link, and prints it
  shares rm <computer> <share>      deletes it, and ends what it opened

  transfer <computer> <workspace>   gives it to another workspace of yours
  usage <computer>...               shows what it has used
  capacity [computer]               checks whether a size fits (code 1: no)

"exec" has the exit codes of "carrel exec". A computer is given by its handle or id, a workspace by its name or id. At a terminal, what is left out can be chosen
from a list. Every other command works in a computer too: its handle is the name that --session and "use" take.`,
  examples: [
    ['computers create build --size ram-4g', 'with 4 GiB of memory'],
    ['computers exec build -- ls -la', 'a command in it'],
    ['computers snapshots create build', 'its files as they are now'],
    ['computers fork build test --count 3', 'test-1, test-2 and test-3'],
    ['computers ports publish build 8080', 'its public address'],
    ['computers rm --yes build', 'deletes it without asking'],
  ],
  options: {
    ...sizeOptions,
    image: {
      type: 'string',
      value: '<image>',
      help: 'Image of a new computer, such as base (default: that of the server)',
    },
    name: { type: 'string', value: '<name>', help: 'Name for people, of a computer or a port' },
    count: { type: 'string', value: '<n>', help: 'How many copies "fork" makes (default: 1)' },
    'in-place': { type: 'boolean', help: 'Restore into the computer of the snapshot, or the one that is named' },
    public: { type: 'boolean', help: 'Publish a port for everybody (the default)' },
    private: { type: 'boolean', help: 'Publish a port for members of the workspace alone' },
    browser: { type: 'boolean', help: 'Share the page, with terminal, files and desktop (the default)' },
    vnc: { type: 'boolean', help: 'Open the desktop alone, or share it for looking at' },
    print: { type: 'boolean', help: 'Print the link instead of opening it' },
    port: { type: 'string', value: '<n>', help: 'Local port of "vnc" (default: one that is free)' },
    viewer: { type: 'boolean', help: 'Start vncviewer, and end with it' },
    expires: { type: 'string', value: '<time>', help: 'When a link expires, such as 12h or 30d' },
    long: { type: 'boolean', short: 'l', help: 'Show more of each one' },
    yes: { type: 'boolean', short: 'y', help: 'Do not ask' },
    ...waitOptions,
    ...execVerb.options,
  },
  shared: ['cwd', 'env', 'timeout', 'json'],
  actions: Object.keys(actions),
  innerActions: innerActionsOf(actions),
  operands: [0, Infinity],
  async run(call) {
    const [{ run }, found] = findAction(call, actions)
    return (await run(found, await openClient(call.program, call.values))) ?? 0
  },
}
