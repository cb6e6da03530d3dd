import { Type } from 'typebox'
import { dollars, object, pageOrJson } from '../../schema.ts'
import { text } from './shared.ts'

export const loginBody = object({
  email: Type.Optional(Type.String({ description: 'Email for magic link auth', format: 'email', maxLength: 254 })),
  wallet: Type.Optional(
    text('0x wallet address for zero-dollar MPP identity auth, instead of an email', { maxLength: 42, minLength: 42 }),
  ),
})

/** The first two fields answer `email`, the others `wallet`. */
export const loginAnswer = object({
  success: Type.Optional(Type.Boolean()),
  message: Type.Optional(Type.String()),
  token: Type.Optional(Type.String({ description: 'A session token, which is shown only once' })),
  wallet: Type.Optional(Type.String({ description: 'The address with its checksum (EIP-55)' })),
  creditsRemaining: Type.Optional(dollars()),
})

export const loginCallbackQuery = object({
  token: text('The code of the link', { maxLength: 100, minLength: 1 }),
})

const sessionFields = {
  token: Type.String({ description: 'The new token, which is shown only once' }),
  expiresIn: Type.Integer({ description: 'Seconds' }),
  userId: Type.String(),
}

export const loginCallbackAnswer = pageOrJson('A page with the token, which is shown only once', object(sessionFields))

export const readLinkAnswer = pageOrJson(
  'A page with a button that signs in; opening it does not use the link up',
  object({ email: Type.String(), message: Type.String() }),
)
