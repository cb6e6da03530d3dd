import type { Engine } from '../../engine/engine.ts'
import type { App } from '../../http/app.ts'

/** How others verify Carrel's access tokens: OpenID discovery and the public key. */
export function addIssuerRoutes(app: App, engine: Engine): void {
  app.get('/.well-known/openid-configuration', { config: { public: true } }, async () => ({
    issuer: engine.server.origin(),
    jwks_uri: `${engine.server.origin()}/.well-known/jwks.json`,
    token_endpoint: `${engine.server.origin()}/auth/refresh`,
    response_types_supported: ['none'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: engine.accessTokens.publicKeys.keys.map(({ alg }) => alg),
  }))
  app.get('/.well-known/jwks.json', { config: { public: true } }, async () => engine.accessTokens.publicKeys)
}
