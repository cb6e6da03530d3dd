import { randomInt } from 'node:crypto'

/** Returns a name that people can say and remember, such as `quiet-otter-4821`: a DNS label, one of 9,000,000. */
export function readableName(): string {
  return `${pick(adjectives)}-${pick(nouns)}-${randomInt(1000, 10_000)}`
}

function pick(words: readonly string[]): string {
  return words[randomInt(words.length)]!
}

const adjectives =
  'amber brave brisk calm clear clever cosy crisp deep eager early fair fleet fond gentle glad golden green happy keen kind lively lucky mellow merry neat noble plain proud quick quiet rapid ready sunny'.split(
    ' ',
  )
const nouns =
  'badger beaver birch brook cedar crane dune falcon fern finch fjord garden grove harbor heron island lake larch lynx maple marten meadow otter owl pine plover raven river robin sparrow stone swift'.split(
    ' ',
  )
