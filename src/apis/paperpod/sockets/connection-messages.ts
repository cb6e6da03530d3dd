import { Type } from 'typebox'
import { defineMessage, type Fields, type Message } from './message.ts'

/** `ping` and `help`. `describe` gives the help of every message. */
export function connectionMessages(describe: () => Fields): Message[] {
  const none = Type.Object({}, { additionalProperties: false })
  return [
    defineMessage({
      type: 'help',
      description: 'Everything that can be sent and that comes, with an example each',
      fields: none,
      returns: '{ protocol, messages, events }',
      example: {},
      run: describe,
    }),
    defineMessage({
      type: 'ping',
      answer: 'pong',
      description: 'Is anybody there?',
      fields: none,
      returns: '{ timestamp }',
      example: {},
      run: () => ({ timestamp: new Date().toISOString() }),
    }),
  ]
}
