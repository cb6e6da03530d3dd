import { isoTime } from '../iso-time.ts'
import { limits } from '../../config/limits.ts'
import {
  deleteMemory,
  listMemory,
  memoryFileSize,
  memoryUsage,
  readMemory,
  writeMemory,
} from '../../engine/memory/memory-files.ts'
import type { Engine } from '../../engine/engine.ts'
import type { App } from '../../http/app.ts'
import { holdUntilAnswered } from '../../http/large-response.ts'
import { textOf } from '../../http/text-decoder.ts'
import { Slices } from '../../slices.ts'
import { piecesOf } from '../../json/text-pieces.ts'
import { bytesOf } from '../../text-bytes.ts'
import {
  memoryDeleteAnswer,
  memoryListAnswer,
  memoryListBody,
  memoryPathBody,
  memoryReadAnswer,
  memoryUsageAnswer,
  memoryWriteAnswer,
  memoryWriteBody,
} from './schemas/memory.ts'

export function addMemoryRoutes(app: App, engine: Engine): void {
  app.post(
    '/memory/write',
    {
      schema: { body: memoryWriteBody, response: { 200: memoryWriteAnswer } },
      bodyLimit: limits.jsonBodyBytes,
      config: {
        documentation: {
          description: 'Write to persistent Agent Memory',
          notes:
            'Survives sandbox restarts. 10MB quota per account. /data/x, data//x and data/x are one file; answers say data/x.',
          example: { path: 'data/results.json', content: '{}' },
          errors: ['disk_full', 'limit_reached'],
        },
      },
    },
    async ({ body, caller }) => {
      const content = await bytesOf(piecesOf(body, 'content'), new Slices(caller.accountId))
      const { path, size } = await writeMemory(engine, caller.accountId, body.path, content)
      return { success: true, size, path }
    },
  )
  app.post(
    '/memory/read',
    {
      schema: { body: memoryPathBody, response: { 200: memoryReadAnswer } },
      config: {
        documentation: {
          description: 'Read from Agent Memory',
          example: { path: 'data/results.json' },
          errors: ['not_found'],
        },
      },
    },
    async (request) => {
      const { body, caller } = request
      const size = await memoryFileSize(engine, caller.accountId, body.path)
      if (size > limits.uncountedBytes)
        holdUntilAnswered(request, await engine.budgets.memory.reserve(caller.accountId, size))
      const { buffer, byteOffset, length } = await readMemory(engine, caller.accountId, body.path)
      return { success: true, content: textOf(Buffer.from(buffer, byteOffset, length)).text, size: length }
    },
  )
  app.post(
    '/memory/list',
    {
      schema: { body: memoryListBody, response: { 200: memoryListAnswer } },
      config: {
        documentation: {
          description: 'List files in Agent Memory',
          example: { prefix: 'data/' },
        },
      },
    },
    async ({ body, caller }) => {
      const files = await listMemory(engine, caller.accountId, body.prefix ?? '')
      return {
        success: true,
        files: files.map(({ path, size, modifiedAtMs }) => ({
          path,
          size,
          modified: isoTime(modifiedAtMs),
        })),
      }
    },
  )
  app.post(
    '/memory/delete',
    {
      schema: { body: memoryPathBody, response: { 200: memoryDeleteAnswer } },
      config: {
        documentation: {
          description: 'Delete file from Agent Memory',
          example: { path: 'data/results.json' },
          errors: ['not_found'],
        },
      },
    },
    async ({ body, caller }) => {
      const path = await deleteMemory(engine, caller.accountId, body.path)
      return { success: true, path }
    },
  )
  app.post(
    '/memory/usage',
    {
      schema: { response: { 200: memoryUsageAnswer } },
      config: {
        documentation: { description: 'Get Agent Memory usage stats' },
      },
    },
    ({ caller }) => memoryUsage(engine, caller.accountId),
  )
}
