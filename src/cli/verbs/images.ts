import { runOwnProgram } from '../run-own-program.ts'
import { UsageError } from '../usage-error.ts'
import type { Verb } from '../verb.ts'

const operandOf: Record<string, string | undefined> = { ls: undefined, import: '<source>', rm: '<image>' }

export const images: Verb = {
  usage: 'images [options] [what] [image]',
  description: `
"ls" lists the images of the server on this machine (CARREL_DATA), from which computers are created. "import" adds
one: of a registry (docker://…), an archive of "docker save" or in OCI's format, the folder of an OCI layout, or a
folder with a Dockerfile, which buildah builds. "rm" removes one, unless a computer, a snapshot, another image or a
server uses it.
To be run as root, while the server runs or not.`,
  examples: [
    ['images import docker://python:3.12', 'one of a registry'],
    ['images import ./my-image', 'a folder with a Dockerfile'],
    ['images rm python-3.12', 'the newest of that name'],
  ],
  options: {},
  shared: ['json'],
  actions: Object.keys(operandOf),
  operands: [0, 2],
  async run({ program, values, operands: [what = 'ls', operand] }) {
    const wanted = operandOf[what]
    if (wanted === undefined && operand !== undefined)
      throw new UsageError(`"images ${what}" takes no further arguments`)
    if (wanted !== undefined && operand === undefined)
      throw new UsageError(`The ${wanted.slice(1, -1)} is missing: images ${what} ${wanted}`)
    const given = [...(values.json ? ['--json'] : []), '--', what, ...(operand === undefined ? [] : [operand])]
    return runOwnProgram('drivers/local/images-program/main.ts', given, program.env)
  },
}
