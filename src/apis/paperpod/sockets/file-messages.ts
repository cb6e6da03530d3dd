import { Type } from 'typebox'
import { limits } from '../../../config/limits.ts'
import { openComputer } from '../../../engine/computers/access/open-computer.ts'
import { filesOf } from '../../../engine/computers/files/files-of.ts'
import { withDescriptors } from '../../../engine/budgets/with-descriptors.ts'
import { CarrelError } from '../../../errors.ts'
import { fromBase64 } from '../mapping.ts'
import { filePath } from '../sandbox-path.ts'
import { writeBody } from '../schemas/file.ts'
import { sessionId } from '../schemas/shared.ts'
import { Slices } from '../../../slices.ts'
import { piecesOf } from '../../../json/text-pieces.ts'
import { bytesOf } from '../../../text-bytes.ts'
import { defineMessage, type Message } from './message.ts'
import type { MessageRoutes } from './route-message.ts'

const { path, content, encoding, mode } = writeBody.properties
const file = Type.Object({ path, content, encoding, mode }, { additionalProperties: false })

export function fileMessages(routes: MessageRoutes): Message[] {
  return [
    routes.message('read', { route: 'POST /files/read', large: true }),
    routes.message('write', { route: 'POST /files/write' }),
    defineMessage({
      type: 'writeMany',
      description: 'Write several files: all of them, or none if one cannot be written',
      fields: Type.Object(
        {
          files: Type.Array(file, {
            description: 'Each with path and content, and optionally encoding and mode as in write',
            minItems: 1,
            maxItems: limits.filesPerWrite,
          }),
          sessionId,
        },
        { additionalProperties: false },
      ),
      returns: '{ success, files: [{ path, size }], sessionId }',
      example: {
        files: [
          { path: 'app/main.py', content: 'print(1)\n' },
          { path: 'app/README.md', content: '# App\n' },
        ],
      },
      async run({ engine, caller, fields, watch }) {
        const slices = new Slices(caller.accountId)
        const files: { path: string; data: Buffer; mode: number | undefined }[] = []
        for (const one of fields.files) {
          const { path: given, encoding: kind, mode: bits } = one
          const pieces = piecesOf(one, 'content')
          const data = await (kind === 'base64' ? fromBase64(pieces, slices) : bytesOf(pieces, slices))
          files.push({ path: filePath(given), data, mode: bits })
        }
        const twice = files.find(({ path: own }, index) => files.findIndex((other) => other.path === own) !== index)
        if (twice)
          throw new CarrelError(
            'invalid_request',
            `Cannot write ${JSON.stringify(twice.path)}: the path is listed twice`,
            {
              details: { field: 'files' },
            },
          )
        using computer = await openComputer(engine, caller, { name: fields.sessionId ?? '' }, 'files')
        watch(fields.sessionId ?? '', computer)
        // Each file and its directory stay open until all files are written.
        const held = { doing: 'write the files', count: 1 + 2 * files.length }
        const sizes = await withDescriptors(engine, caller, held, () => filesOf(engine, computer).writeMany(files))
        const written = files.map((one, index) => ({ path: one.path, size: sizes[index] }))
        return { success: true, files: written, sessionId: fields.sessionId ?? '' }
      },
    }),
    routes.message('list', { route: 'POST /files/list', large: true }),
  ]
}
