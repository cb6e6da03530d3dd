import { Type } from 'typebox'
import { nullableText, object, time } from '../schema.ts'
import { computerParams } from './computer-schemas.ts'

const number = Type.Integer({ minimum: 1, maximum: 65_535, examples: [8080] })
const visibility = (description: string) => Type.Enum(['public', 'private'], { description })

export const port = object({
  id: Type.String({ description: 'The id of the computer, and the port' }),
  computer_id: Type.String(),
  port: Type.Integer(),
  name: Type.String({ description: 'Empty for a port without a name' }),
  visibility: visibility('public: everybody who has the address may open it'),
  state: Type.Enum(['pending', 'ready', 'failed', 'deleting'], { description: 'ready as soon as it is published' }),
  public_url: Type.String({ description: 'Stays the same for as long as the computer exists' }),
  failure_reason: nullableText('Always null'),
  created_at: time(),
  updated_at: time(),
})

export const portsAnswer = object({ ports: Type.Array(port) })
export const portAnswer = object({ port })
export const publishPortBody = object({
  port: number,
  name: Type.Optional(Type.String({ maxLength: 100, description: 'For people' })),
  visibility: Type.Optional(visibility('public unless the port is published as private already')),
})
export const portParams = object({
  ...computerParams.properties,
  port: Type.String({ minLength: 1, maxLength: 20, examples: ['8080'] }),
})
