import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Program } from '../processes/program.ts'

const require = createRequire(import.meta.url)

export const kernelLanguages = ['python', 'javascript'] as const
export type KernelLanguage = (typeof kernelLanguages)[number]

interface KernelProgram {
  argv: string[]
  /**
   * The first line of the kernel's stdin: the source of the kernel, so that no image has to contain it and its version
   * is always this server's.
   */
  source: () => Record<string, string>
  /** What an image must contain to run the kernel; shown when it does not. */
  needs: string
}

const pythonStart =
  'import sys, json; exec(compile(json.loads(sys.stdin.buffer.raw.readline())["source"], "kernel", "exec"), {"__name__": "kernel"})'

/** Reads one line from file descriptor 3 itself: what follows it belongs to the kernel. */
const javascriptStart = `{
  const fs = require('node:fs')
  const block = Buffer.alloc(65536)
  let bytes = Buffer.alloc(0)
  while (!bytes.includes(10)) {
    const length = fs.readSync(3, block)
    if (length === 0) process.exit(1)
    bytes = Buffer.concat([bytes, block.subarray(0, length)])
  }
  const end = bytes.indexOf(10)
  const { source, cell, acorn } = JSON.parse(bytes.toString('utf8', 0, end))
  const boot = { rest: bytes.toString('utf8', end + 1), import: (name) => import(name) }
  const exportsOf = (text) => {
    const module = { exports: {} }
    new Function('module', 'exports', 'boot', text)(module, module.exports, boot)
    return module.exports
  }
  boot.acorn = exportsOf(acorn)
  boot.prepare = exportsOf(cell).prepare
  new Function('require', 'boot', source)(require, boot)
}`

const nodeOptions = [
  // An interruption can strike inside a timer: without these checks Node continues from there.
  '--no-force-async-hooks-checks',
  '--disable-warning=ExperimentalWarning',
]

/** How the kernel of each language is started. The user's code has an empty stdin. */
export const kernelPrograms: Record<KernelLanguage, KernelProgram> = {
  python: {
    argv: ['python3', '-c', pythonStart],
    source: () => ({ source: text('python-kernel.py') }),
    needs: 'python3 with ipykernel: "sudo apt-get install python3-ipykernel", or "pip install ipykernel"',
  },
  javascript: {
    argv: ['sh', '-c', `exec node ${nodeOptions.join(' ')} -e "$0" 3<&0 4>&1 0</dev/null 1>&2`, javascriptStart],
    source: () => ({
      source: text('javascript-kernel.cjs'),
      cell: text('javascript-cell.cjs'),
      acorn: readFileSync(require.resolve('acorn'), 'utf8'),
    }),
    needs: 'node, version 20.11 or newer',
  },
}

/** Returns the program that starts a kernel, with the kernel's source as its stdin. */
export function kernelProgram(language: KernelLanguage): Program {
  const { argv, source } = kernelPrograms[language]
  return { argv, stdin: `${JSON.stringify(source())}\n` }
}

function text(file: string): string {
  return readFileSync(new URL(file, import.meta.url), 'utf8')
}
