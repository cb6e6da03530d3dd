import { Type } from 'typebox'
import { limits } from '../../../config/limits.ts'
import { object } from '../../schema.ts'
import { text } from './shared.ts'

const memoryPath = text("File path (e.g. 'data/results.json')", { minLength: 1, maxLength: limits.memoryPathLength })

export const memoryWriteBody = object({ path: memoryPath, content: text('The new content of the file') })

export const memoryWriteAnswer = object({ success: Type.Boolean(), size: Type.Integer(), path: Type.String() })

export const memoryPathBody = object({ path: memoryPath })

export const memoryReadAnswer = object({ success: Type.Boolean(), content: Type.String(), size: Type.Integer() })

export const memoryListBody = object({
  prefix: Type.Optional(text('Only paths that start with this prefix', { maxLength: limits.memoryPathLength })),
})

export const memoryListAnswer = object({
  success: Type.Boolean(),
  files: Type.Array(object({ path: Type.String(), size: Type.Integer(), modified: Type.String() })),
})

export const memoryDeleteAnswer = object({ success: Type.Boolean(), path: Type.String() })

export const memoryUsageAnswer = object({
  usedBytes: Type.Integer(),
  quotaBytes: Type.Integer(),
  fileCount: Type.Integer(),
})
