import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { InterpretAnswer, InterpretResult } from '../../../sdk/index.ts'
import { parseTimeLimit } from '../arguments.ts'
import { openClient } from '../open-client.ts'
import type { Program } from '../program.ts'
import { UsageError } from '../usage-error.ts'
import type { Verb } from '../verb.ts'

const languages = ['python', 'javascript'] as const

export const interpret: Verb = {
  usage: 'interpret [options] <code>',
  description: `
Runs code and shows its output, the value of its last expression, and the files of its figures: each figure is saved as
a new file, and none is overwritten. Variables stay for the next call. The code "-" is read from stdin.

Exits with 1 when the code fails and with 124 at the time limit; variables are kept in both cases.`,
  examples: [
    ["interpret 'x = 6 * 7'", 'sets a variable'],
    ["interpret 'x'", 'shows it'],
    ['interpret - < analysis.py', 'runs a file, and saves its figures here'],
  ],
  options: {
    lang: { type: 'string', value: '<language>', help: `${languages.join(' or ')} (default: python)` },
    output: { type: 'string', short: 'o', value: '<folder>', help: 'Where figures are saved (default: here)' },
  },
  shared: ['session', 'timeout', 'json'],
  operands: [1, 1],
  async run({ program, values, operands: [operand = ''] }) {
    const { lang = 'python', output = '.' } = values
    const language = languages.find((known) => known === lang)
    if (!language || typeof output !== 'string')
      throw new UsageError(`Cannot run the language "${String(lang)}": it has to be one of ${languages.join(', ')}`)
    const timeoutMs = parseTimeLimit(values.timeout)
    const client = await openClient(program, { ...values, timeout: undefined })
    const code = operand === '-' ? await text(process.stdin) : operand
    const answer = await client.interpret(code, { language, timeoutMs })
    if (values.json) await program.stdout.line(JSON.stringify(answer))
    else await show(program, answer, output)
    return answer.status === 'completed' ? 0 : answer.status === 'timeout' ? 124 : 1
  },
}

async function show(program: Program, answer: InterpretAnswer, folder: string): Promise<void> {
  if (answer.kernelRestarted) await report(program, 'The variables of earlier calls are lost: the kernel was restarted')
  for (const result of answer.results) await showResult(program, result, folder)
  if (answer.truncated) await report(program, 'Some output is missing: there was more than an answer can hold')
}

async function showResult(program: Program, result: InterpretResult, folder: string): Promise<void> {
  const { type, text, data, stream = 'stdout', mimeType = '' } = result
  if (type === 'error') {
    const { name = '', message = '', traceback = [] } = result
    const isIncluded = traceback.some((line) => line.startsWith(`${name}: `))
    return program.stderr.line((isIncluded ? traceback : [...traceback, `${name}: ${message}`]).join('\n'))
  }
  if (type === 'image' && typeof data === 'string')
    return program.stdout.line(await save(Buffer.from(data, 'base64'), folder, mimeType))
  if (result.stream) return program[stream].write(text ?? '')
  await program.stdout.line(text ?? (typeof data === 'string' ? data : JSON.stringify(data)))
}

/** Saves an image under the first free number. */
async function save(image: Buffer, folder: string, mimeType: string): Promise<string> {
  const extension = extensions[mimeType] ?? 'png'
  for (let number = 1; ; number++) {
    const path = join(folder, `figure-${number}.${extension}`)
    try {
      await writeFile(path, image, { flag: 'wx' })
      return `Saved ${path}`
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
}

function report(program: Program, sentence: string): Promise<void> {
  return program.stderr.line(`${program.name}: ${sentence}`)
}

const extensions: Record<string, string> = {
  'image/jpeg': 'jpg',
  'image/svg+xml': 'svg',
  'image/gif': 'gif',
  'image/webp': 'webp',
}
