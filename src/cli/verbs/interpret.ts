import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { InterpretAnswer, InterpretResult } from '../../../sdk/index.ts'
import { parseCount } from '../arguments.ts'
import { openClient } from '../open-client.ts'
import type { Program } from '../program.ts'
import { UsageError } from '../usage-error.ts'
import type { Verb } from '../verb.ts'

const languages = ['python', 'javascript'] as const

export const interpret: Verb = {
  usage: 'interpret [options] <code>',
  description: `
Runs code and shows what it prints, the value of its last expression, and where its figures went: each is saved as a
file of its own, and none is overwritten. Variables stay for the next call. The code "-" is read from stdin.

Exits with 1 when the code fails and 124 at the time limit; its variables are kept then, too.`,
  options: {
    lang: { type: 'string', value: '<language>', help: `${languages.join(' or ')} (default: python)` },
    output: { type: 'string', short: 'o', value: '<folder>', help: 'Where figures are saved (default: here)' },
  },
  operands: [1, 1],
  async run({ program, values, operands: [operand = ''] }) {
    const { lang = 'python', output = '.' } = values
    const language = languages.find((known) => known === lang)
    if (!language || typeof output !== 'string')
      throw new UsageError(`Cannot run the language "${String(lang)}": it has to be one of ${languages.join(', ')}`)
    const timeoutMs = parseCount(values.timeout, 'the time limit')
    const client = await openClient(program, { ...values, timeout: undefined })
    const code = operand === '-' ? await text(process.stdin) : operand
    const answer = await client.interpret(code, { language, timeoutMs })
    if (values.json) await program.stdout.line(JSON.stringify(answer))
    else await show(program, answer, output)
    return answer.status === 'completed' ? 0 : answer.status === 'timeout' ? 124 : 1
  },
}

async function show(program: Program, answer: InterpretAnswer, folder: string): Promise<void> {
  if (answer.kernelRestarted) await tell(program, 'Variables of earlier calls are gone: the kernel was started anew')
  for (const result of answer.results) await showResult(program, result, folder)
  if (answer.truncated) await tell(program, 'Some output is missing: there was more than an answer holds')
}

async function showResult(program: Program, result: InterpretResult, folder: string): Promise<void> {
  const { type, text, data, stream = 'stdout', mimeType = '' } = result
  if (type === 'error') {
    const { name = '', message = '', traceback = [] } = result
    const isTold = traceback.some((line) => line.startsWith(`${name}: `))
    return program.stderr.line((isTold ? traceback : [...traceback, `${name}: ${message}`]).join('\n'))
  }
  if (type === 'image' && typeof data === 'string')
    return program.stdout.line(await save(Buffer.from(data, 'base64'), folder, mimeType))
  if (result.stream) return program[stream].write(text ?? '')
  await program.stdout.line(text ?? (typeof data === 'string' ? data : JSON.stringify(data)))
}

/** Under the first number that is free. */
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

function tell(program: Program, sentence: string): Promise<void> {
  return program.stderr.line(`${program.name}: ${sentence}`)
}

const extensions: Record<string, string> = {
  'image/jpeg': 'jpg',
  'image/svg+xml': 'svg',
  'image/gif': 'gif',
  'image/webp': 'webp',
}
