import type { Task } from '../tasks/task.ts'

/** `test`: compares files, texts and numbers, with `!`, `-a` and `-o`. Returns 0 for true. */
export function test(task: Task, words: string[]): number {
  const either = words.indexOf('-o')
  if (either > 0) return Math.min(test(task, words.slice(0, either)), test(task, words.slice(either + 1)))
  const both = words.indexOf('-a')
  if (both > 0) return Math.max(test(task, words.slice(0, both)), test(task, words.slice(both + 1)))
  if (words[0] === '!' && words.length > 1) return Number(test(task, words.slice(1)) === 0)
  const [one = '', two, three] = words
  if (words.length < 2) return Number(one === '')
  if (words.length === 2) return Number(!unary(task, one, two!))
  return Number(!binary(one, two!, three!))
}

function unary(task: Task, operator: string, word: string): boolean {
  if (operator === '-n') return word !== ''
  if (operator === '-z') return word === ''
  if (operator === '-t') return false
  const isLink = operator === '-L' || operator === '-h'
  const node = task.machine.files.lookUp(task.path(word), !isLink)
  if (!node || word === '') return false
  switch (operator) {
    case '-f':
      return node.kind === 'file'
    case '-d':
      return node.kind === 'directory'
    case '-L':
    case '-h':
      return node.kind === 'symlink'
    case '-s':
      return node.kind === 'file' && node.sizeBytes > 0
    case '-x':
      return (node.mode & 0o111) !== 0
    default:
      return ['-e', '-r', '-w'].includes(operator)
  }
}

function binary(one: string, operator: string, other: string): boolean {
  const compare = comparisons[operator]
  return compare ? compare(Number(one), Number(other)) : operator === '!=' ? one !== other : one === other
}

const comparisons: Record<string, (one: number, other: number) => boolean> = {
  '-eq': (one, other) => one === other,
  '-ne': (one, other) => one !== other,
  '-lt': (one, other) => one < other,
  '-le': (one, other) => one <= other,
  '-gt': (one, other) => one > other,
  '-ge': (one, other) => one >= other,
}
