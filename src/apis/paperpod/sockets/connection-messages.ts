import { Type } from 'typebox'
import { defineMessage, type Fields, type Message } from './message.ts'

/** Returns `ping` and `help`. `describe` returns the help of every message. */
export function connectionMessages(describe: () => Fields): Message[] {
  const none = Type.Object({}, { additionalProperties: false })
  return [
    defineMessage({
      type: 'help',
      description: 'List all messages and events, with an example of each message',
      fields: none,
      returns: '{ protocol, messages, events }',
      example: {},
      run: describe,
    }),
    defineMessage({
      type: 'ping',
      answer: 'pong',
      description: 'Check the connection',
      fields: none,
      returns: '{ timestamp }',
      example: {},
      run: () => ({ timestamp: new Date().toISOString() }),
    }),
  ]
}
