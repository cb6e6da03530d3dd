import { limits } from '../../../config/limits.ts'

export const languages = ['python', 'javascript', 'shell'] as const
export type Language = (typeof languages)[number]

export interface Program {
  argv: string[]
  /** Source that is too long for an argument. */
  stdin?: string
}

/** From stdin all of the source is read before any of it runs: what it runs finds an empty stdin, not the source. */
const interpreters: Record<Language, { inline: string[]; fromStdin: string[] }> = {
  python: { inline: ['python3', '-c'], fromStdin: ['python3', '-'] },
  javascript: { inline: ['node', '-e'], fromStdin: ['node', '-'] },
  shell: { inline: ['bash', '-c'], fromStdin: ['bash', '-c', 'eval "$(cat)"'] },
}

/** How code of a language is run: as an argument, or by stdin where it is longer than the kernel takes in one. */
export function programFor(language: Language, code: string): Program {
  const { inline, fromStdin } = interpreters[language]
  if (Buffer.byteLength(code) <= limits.codeArgumentBytes) return { argv: [...inline, code] }
  return { argv: fromStdin, stdin: code }
}
