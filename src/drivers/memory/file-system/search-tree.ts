import { CarrelError } from '../../../errors.ts'
import type { SearchMatch, SearchQuery, SearchResult } from '../../driver.ts'
import { quote } from '../../files/computer-path.ts'
import { toText } from './byte-strings.ts'
import { matchesPattern } from '../shell/patterns.ts'
import type { DirectoryNode, FileNode, Node } from './nodes.ts'

/** Searches a node as ripgrep does, as far as tests need: ignore files have names and simple patterns. */
export function searchTree(node: Node, path: string, query: SearchQuery): SearchResult {
  const expression = expressionOf(query)
  const matches: SearchMatch[] = []
  let bytes = 0
  for (const file of node.kind === 'directory' ? filesBelow(node, path, []) : [{ node, path }]) {
    if (file.node.kind !== 'file')
      throw new CarrelError('invalid_request', `Cannot search ${quote(path)}: it is not a regular file`)
    for (const [index, text] of linesOf(file.node).entries()) {
      if (!expression.test(text)) continue
      const shown = text.length > maxColumns ? `${text.slice(0, maxColumns)} [... omitted end of long line]` : text
      bytes += file.path.length + shown.length
      if (matches.length >= query.maxMatches || bytes > query.maxBytes) return { matches, truncated: true }
      matches.push({ path: file.path, line: index + 1, text: shown })
    }
  }
  return { matches, truncated: false }
}

function expressionOf({ pattern, isRegex, ignoresCase }: SearchQuery): RegExp {
  try {
    return new RegExp(isRegex ? pattern : RegExp.escape(pattern), ignoresCase ? 'ui' : 'u')
  } catch {
    throw new CarrelError('invalid_request', `Cannot search for ${quote(pattern)}: it is no regular expression`, {
      details: { field: 'pattern' },
    })
  }
}

/** Returns the lines of a text; none of a binary file. */
function linesOf(file: FileNode): string[] {
  if (file.bytes.includes(0)) return []
  const lines = file.bytes.toString('utf8').split('\n')
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines
}

function* filesBelow(directory: DirectoryNode, path: string, above: string[]): Generator<{ node: Node; path: string }> {
  const ignored = [...above, ...ignoreFiles.flatMap((name) => patternsOf(directory.entries.get(name)))]
  for (const node of directory.sorted()) {
    const isDirectory = node.kind === 'directory'
    if (node.name.startsWith('.') || ignored.some((pattern) => isIgnored(node.name, pattern, isDirectory))) continue
    const inner = `${path.replace(/\/$/, '')}/${toText(node.name)}`
    if (isDirectory) yield* filesBelow(node, inner, ignored)
    else if (node.kind === 'file') yield { node, path: inner }
  }
}

function patternsOf(node: Node | undefined): string[] {
  return node?.kind === 'file' ? linesOf(node).filter((line) => line !== '' && !line.startsWith('#')) : []
}

function isIgnored(name: string, pattern: string, isDirectory: boolean): boolean {
  if (pattern.endsWith('/')) return isDirectory && matchesPattern(name, pattern.slice(0, -1))
  return matchesPattern(name, pattern)
}

/** As much of a line as is returned. */
const maxColumns = 4096
const ignoreFiles = ['.gitignore', '.ignore', '.rgignore']
