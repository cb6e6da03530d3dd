/** A parsed shell script. All texts are byte strings. */
export type List = Item[]

export interface Item {
  pipelines: { operator: '&&' | '||' | undefined; pipeline: Pipeline }[]
  background: boolean
}

export interface Pipeline {
  negated: boolean
  commands: Command[]
}

export type Command = (
  | { type: 'simple'; assignments: Assignment[]; words: Word[] }
  | { type: 'subshell' | 'group'; body: List }
  | { type: 'if'; branches: { condition: List; body: List }[]; otherwise: List | undefined }
  | { type: 'while'; until: boolean; condition: List; body: List }
  | { type: 'for'; name: string; words: Word[] | undefined; body: List }
  | { type: 'case'; word: Word; branches: { patterns: Word[]; body: List }[] }
  | { type: 'function'; name: string; body: Command }
  | { type: 'arithmetic'; expression: Word }
) & { redirections: Redirection[] }

export interface Assignment {
  name: string
  value: Word
}

export interface Redirection {
  /** `&>` redirects stdout and stderr to a file. */
  operator: '<' | '>' | '>>' | '<&' | '>&' | '&>' | '<<' | '<<<'
  number: number
  /** The file, the other file descriptor, or the text itself. */
  target: Word
}

export type Word = WordPart[]

export type WordPart =
  | { type: 'text'; text: string; quoted: boolean }
  | { type: 'parameter'; name: string; operator: string; word: Word; quoted: boolean }
  | { type: 'command'; body: List; quoted: boolean }
  | { type: 'arithmetic'; expression: Word; quoted: boolean }

export class SyntaxFault extends Error {}
