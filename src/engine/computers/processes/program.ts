import { limits } from '../../../config/limits.ts'

export const languages = ['python', 'javascript', 'shell'] as const
export type Language = (typeof languages)[number]

export interface Program {
  argv: string[]
  /** Source that is too long for an argument; it goes to stdin. */
  stdin?: string
}

/**
 * Interpreters read all source from stdin before they run any of it, so the program finds an empty stdin and not its
 * own source.
 */
const interpreters: Record<Language, { inline: string[]; fromStdin: string[] }> = {
  python: { inline: ['python3', '-c'], fromStdin: ['python3', '-'] },
  javascript: { inline: ['node', '-e'], fromStdin: ['node', '-'] },
  shell: { inline: ['bash', '-c'], fromStdin: ['bash', '-c', 'eval "$(cat)"'] },
}

/**
 * Returns how code of a language is run: as an argument, or by stdin when it is longer than the kernel accepts in one
 * argument.
 */
export function programFor(language: Language, code: string): Program {
  const { inline, fromStdin } = interpreters[language]
  if (Buffer.byteLength(code) <= limits.codeArgumentBytes) return { argv: [...inline, code] }
  return { argv: fromStdin, stdin: code }
}
