import type { Shell } from './shell.ts'

/** `read [-r] [name...]`: reads a line of stdin into variables, word by word. Returns 1 at the end of stdin. */
export async function readLine(shell: Shell, words: string[]): Promise<number> {
  const names = words.filter((word) => !word.startsWith('-'))
  let line = ''
  let ended = false
  // Reads a byte at a time, so that what follows the line is left for other readers.
  for (;;) {
    const chunk = await shell.task.read(0, 1)
    if (chunk.length === 0) ended = true
    const one = chunk.toString('latin1')
    if (ended || one === '\n') break
    line += one
  }
  if (names.length === 0) shell.set('REPLY', line)
  const fields = line.trim().split(/[ \t]+/)
  for (const [index, name] of names.entries()) {
    const isLast = index === names.length - 1
    const rest = fields.slice(index).join(' ')
    shell.set(name, isLast ? rest : (fields[index] ?? ''))
  }
  return ended ? 1 : 0
}
