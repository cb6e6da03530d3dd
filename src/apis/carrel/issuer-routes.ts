import { Type } from 'typebox'
import type { Engine } from '../../engine/engine.ts'
import type { App } from '../../http/app.ts'
import { object } from '../schema.ts'

const configurationAnswer = object({
  issuer: Type.String(),
  jwks_uri: Type.String({ description: 'The address of the public keys' }),
  token_endpoint: Type.String(),
  response_types_supported: Type.Array(Type.String()),
  subject_types_supported: Type.Array(Type.String()),
  id_token_signing_alg_values_supported: Type.Array(Type.String()),
})

const keysAnswer = object({
  keys: Type.Array(Type.Record(Type.String(), Type.Unknown()), { description: 'Public keys (RFC 7517)' }),
})

/** Adds the routes with which other servers verify Carrel's access tokens: OpenID discovery and the public keys. */
export function addIssuerRoutes(app: App, engine: Engine): void {
  app.get(
    '/.well-known/openid-configuration',
    {
      schema: { response: { 200: configurationAnswer } },
      config: { public: true, documentation: { description: 'OpenID discovery: the issuer of access tokens' } },
    },
    async () => {
      const issuer = engine.server.origin()
      return {
        issuer,
        jwks_uri: `${issuer}/.well-known/jwks.json`,
        token_endpoint: `${issuer}/auth/refresh`,
        response_types_supported: ['none'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: engine.accessTokens.publicKeys.keys.flatMap(({ alg }) => alg ?? []),
      }
    },
  )
  app.get(
    '/.well-known/jwks.json',
    {
      schema: { response: { 200: keysAnswer } },
      config: { public: true, documentation: { description: 'The public keys for verifying access tokens' } },
    },
    async () => engine.accessTokens.publicKeys,
  )
}
