import { Type } from 'typebox'
import type { DocumentedMessage } from '../../http/documented-message.ts'
import { object, time } from '../schema.ts'
import { errorEvent } from './error-event.ts'

const timestamp = time()
const path = Type.String({ description: 'The absolute path' })
const directory = Type.Boolean({ description: 'True for a directory' })
const at = '2026-01-26T12:00:00.000Z'

const change = (name: 'create' | 'modify' | 'delete', description: string): DocumentedMessage => ({
  name,
  from: 'server',
  description,
  schema: object({ type: Type.Literal(name), path, directory, timestamp }),
  example: { type: name, path: '/workspace/notes.txt', directory: false, timestamp: at },
})

/** Returns the events of `POST /watch`. */
export function watchEvents(): DocumentedMessage[] {
  return [
    {
      name: 'watching',
      from: 'server',
      description: 'The watch is in place: every later change is reported',
      schema: object({
        type: Type.Literal('watching'),
        path,
        recursive: Type.Boolean({ description: 'Whether directories below it are watched too' }),
        sessionId: Type.String(),
        timestamp,
      }),
      example: { type: 'watching', path: '/workspace', recursive: true, sessionId: '', timestamp: at },
    },
    change('create', 'A file or directory was created, or moved in'),
    change('modify', 'The content of a file changed'),
    change('delete', 'A file or directory was deleted, or moved away'),
    {
      name: 'rename',
      from: 'server',
      description: 'A file or directory has another name',
      schema: object({
        type: Type.Literal('rename'),
        path,
        oldPath: Type.String(),
        newPath: Type.String({ description: 'The same as path' }),
        directory,
        timestamp,
      }),
      example: {
        type: 'rename',
        path: '/workspace/notes.md',
        oldPath: '/workspace/notes.txt',
        newPath: '/workspace/notes.md',
        directory: false,
        timestamp: at,
      },
    },
    {
      name: 'overflow',
      from: 'server',
      description: 'Some changes are not reported: list the directory',
      schema: object({
        type: Type.Literal('overflow'),
        path,
        message: Type.String(),
        dropped: Type.Optional(Type.Integer({ description: 'The number of changes that a slow connection missed' })),
        timestamp,
      }),
      example: {
        type: 'overflow',
        path: '/workspace',
        dropped: 120,
        message: '120 changes were not sent because the connection was slow. List the directory.',
        timestamp: at,
      },
    },
    {
      name: 'stopped',
      from: 'server',
      description: 'The watch is over; the last event',
      schema: object({
        type: Type.Literal('stopped'),
        path,
        reason: Type.Enum(['deleted', 'sandbox', 'server'], { description: 'What has ended' }),
        message: Type.String(),
        timestamp,
      }),
      example: {
        type: 'stopped',
        path: '/workspace',
        reason: 'sandbox',
        message: 'The sandbox has stopped',
        timestamp: at,
      },
    },
    errorEvent('The watch cannot go on; the last event'),
  ]
}
