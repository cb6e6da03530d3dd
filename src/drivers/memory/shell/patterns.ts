import { toBytes } from '../file-system/byte-strings.ts'
import type { FileSystem } from '../file-system/file-system.ts'

/**
 * Returns a regular expression for a pattern of `case`, `${x#...}` or a file name. A backslash makes the next character
 * literal.
 */
export function patternExpression(pattern: string, greedy = true): string {
  let expression = ''
  for (let at = 0; at < pattern.length; at++) {
    const one = pattern[at]!
    const end = one === '[' ? pattern.indexOf(']', at + 2) : -1
    if (one === '\\') expression += literal(pattern[++at] ?? '')
    else if (one === '*') expression += greedy ? '[^]*' : '[^]*?'
    else if (one === '?') expression += '[^]'
    else if (end !== -1) {
      expression += pattern
        .slice(at, end + 1)
        .replace(/^\[!/, '[^')
        .replaceAll('\\', '\\\\')
      at = end
    } else expression += literal(one)
  }
  return expression
}

export function matchesPattern(text: string, pattern: string): boolean {
  return new RegExp(`^${patternExpression(pattern)}$`).test(text)
}

/** Returns the existing paths that a pattern matches, sorted. */
export function matchingPaths(files: FileSystem, cwd: string, pattern: string): string[] {
  const isAbsolute = pattern.startsWith('/')
  let found = [isAbsolute ? '/' : '']
  for (const part of pattern.split('/').filter(Boolean)) {
    found = found.flatMap((path) => {
      const node = files.lookUp(isAbsolute ? path : `${cwd}/${path}`)
      if (node?.kind !== 'directory') return []
      const names = node.sorted().map(({ name }) => name)
      const shown = names.filter((name) => name.startsWith('.') === part.startsWith('.') && matchesPattern(name, part))
      return shown.map((name) => (path === '' || path.endsWith('/') ? path + name : `${path}/${name}`))
    })
  }
  return found
}

/** Expands `{a,b}` and `{1..3}` in an unquoted text. */
export function expandBraces(text: string): string[] {
  const found = /^([^{]*)\{([^{}]*)\}(.*)$/s.exec(text)
  if (!found) return [text]
  const [, before = '', inside = '', after = ''] = found
  const range = /^(-?\d+)\.\.(-?\d+)$/.exec(inside)
  if (!range && !inside.includes(',')) return [text]
  const choices = range ? numbers(Number(range[1]), Number(range[2])) : inside.split(',')
  return expandBraces(after).flatMap((rest) => choices.map((choice) => before + choice + rest))
}

function numbers(first: number, last: number): string[] {
  const step = first <= last ? 1 : -1
  return Array.from({ length: Math.abs(last - first) + 1 }, (_, index) => toBytes(String(first + index * step)))
}

function literal(one: string): string {
  return one.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`)
}
