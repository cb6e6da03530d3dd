import assert from 'node:assert/strict'
import type { DocumentedMessage } from '../../src/http/documented-message.ts'
import { until } from './server.ts'
import type { TestClient } from './test-client.ts'
import { withDatabase } from './with-database.ts'

interface Example {
  method: string
  /** The path, with the names of its parameters in braces. */
  path: string
  /** The values of those parameters. */
  parts?: Record<string, unknown> | undefined
  /**
   * The fields of the query of a GET, of the JSON body or of the form; for a binary body, those of the query and
   * `file`.
   */
  example: Record<string, unknown> | undefined
  /** Default: JSON. */
  contentType?: string | undefined
}

/** Routes whose examples cannot work unchanged: they need a secret that one caller has, or a payment. */
export const needsSecret = new Set([
  'GET /login/callback',
  'POST /login/callback',
  'POST /auth/refresh',
  'POST /auth/github',
  'POST /topup',
  'DELETE /users/me/api-keys',
  // It would revoke the token that the other examples use.
  'DELETE /users/me/sessions/{sessionId}',
  'POST /billing/webhook',
  // Needs a user: the accounts of the tests have none.
  'DELETE /api/v1/account/delete',
  'GET /invitation',
  'POST /invitation',
  // They need a token of the owner's account.
  'POST /datasets',
  'DELETE /datasets/{dataset}',
  'DELETE /datasets/{dataset}/samples/{sample_id}',
  // They need the id of a sandbox, which the server chooses.
  'POST /v1/sandboxes/{sandboxId}/stop',
  'DELETE /v1/sandboxes/{sandboxId}',
  // A token without a user is not a member, and can neither create nor delete a workspace.
  'POST /v1/workspaces',
  'DELETE /v1/workspaces/{workspaceId}',
  'POST /v1/workspaces/{workspaceId}/cancel-deletion',
  'PATCH /v1/workspaces/{workspaceId}/members/{userId}',
  'DELETE /v1/workspaces/{workspaceId}/members/{userId}',
  'DELETE /v1/workspaces/{workspaceId}/invitations/{invitationId}',
])

/** Routes whose examples need a computer in another state than the one that `createExampleComputer` leaves. */
export const needsState = new Set([
  'DELETE /v1/computers/{id}',
  'POST /v1/computers/{id}/actions/start',
  'POST /v1/computers/{id}/actions/stop',
  'POST /v1/computers/{id}/actions/resize',
  'POST /v1/computers/{id}/fork',
  'POST /v1/computers/{id}/snapshots',
  // They need the id of a snapshot or of another workspace.
  'POST /v1/computers/{id}/actions/restore',
  'POST /v1/computers/{id}/actions/transfer',
  'GET /v1/snapshots/{snapshotId}',
  'DELETE /v1/snapshots/{snapshotId}',
  'POST /v1/snapshots/{snapshotId}/restore',
  // They need ports for SSH.
  'POST /v1/computers/{id}/ssh/certificates',
  'POST /v1/computers/{id}/ssh-credentials',
  // They need the id of a key, an operation or an image, which the server chooses.
  'DELETE /v1/ssh-keys/{sshKeyId}',
  'GET /v1/operations/{operationId}',
  'GET /v1/computer-images/{imageId}',
  // They need the id of an access session, which the server chooses.
  'GET /v1/computers/{id}/access-sessions/{sessionId}',
  'DELETE /v1/computers/{id}/access-sessions/{sessionId}',
  // They need the id or the token of a share, which the server chooses.
  'DELETE /v1/computers/{id}/shares/links/{shareId}',
  'GET /v1/shares/{token}',
  'POST /v1/shares/{token}/access-sessions',
  // They need a sample, and the id of a session, which the server chooses.
  'POST /sessions',
  'GET /sessions/{session_id}',
  'DELETE /sessions/{session_id}',
  'POST /sessions/{session_id}/extend',
  'POST /sessions/{session_id}/exec',
  'GET /sessions/{session_id}/interactions',
  'GET /sessions/{session_id}/interactions/{interaction_id}',
  'POST /sessions/{session_id}/str_replace',
  'GET /sessions/{session_id}/files',
  'PUT /sessions/{session_id}/files',
])

/** Adds the dataset that the examples name. */
export async function addExampleDataset(server: TestClient): Promise<void> {
  const paths = (await server.call('GET', '/openapi.json', undefined, { token: null })).body.paths
  const example = { method: 'POST', path: '/datasets', ...exampleOf(paths['/datasets'].post as Operation) }
  const { status, body } = await callExample(server, example, server.token)
  assert.equal(status, 200, JSON.stringify(body))
}

/** Creates the running computer that the examples name. */
export async function createExampleComputer(server: TestClient, token: string): Promise<void> {
  const created = await server.call('POST', '/v1/computers', { handle: 'my-computer' }, { token })
  assert.equal(created.status, 202, JSON.stringify(created.body))
  await until(
    async () => (await server.call('GET', '/v1/computers/my-computer', undefined, { token })).body.computer.state,
    (state) => state === 'running',
  )
}

interface Media {
  schema: object
  example?: Record<string, unknown>
}

/** An operation of openapi.json. */
export interface Operation {
  security: unknown[]
  parameters?: { name: string; in: string; required?: boolean; example?: unknown }[]
  requestBody?: { content: Record<string, Media> }
  responses: Record<string, { content?: Record<string, Media> }>
  'x-messages'?: DocumentedMessage[]
}

/** Returns the documented example of an operation. */
export function exampleOf({ parameters = [], requestBody }: Operation) {
  const examplesIn = (place: string) => {
    const found = parameters.filter((parameter) => parameter.in === place && parameter.example !== undefined)
    return found.length === 0 ? undefined : Object.fromEntries(found.map(({ name, example }) => [name, example]))
  }
  const [[contentType, media] = []] = Object.entries(requestBody?.content ?? {})
  const fields = examplesIn('query')
  const parts = examplesIn('path')
  if (media && fields) return { example: { ...fields, file: media.example }, contentType, parts }
  return { example: media ? media.example : fields, contentType, parts }
}

/** Sends the documented example of a request. */
export async function callExample(
  server: TestClient,
  { method, path: template, parts = {}, ...rest }: Example,
  token: string,
) {
  const { example, contentType } = rest
  const path = template.replaceAll(/\{(\w+)\}/g, (_, name: string) => String(parts[name]))
  // Other tests invite the mailbox of the example too, and a mailbox gets a limited number of invitations a day.
  if (path.endsWith('/invitations'))
    await withDatabase((db) => db.deleteFrom('invitations').where('mailbox', '=', String(example?.email)).execute())
  if (!example) return server.call(method, path, undefined, { token })
  if (method === 'GET') return server.call(method, `${path}?${asQuery(example)}`, undefined, { token })
  if (contentType === 'multipart/form-data') return server.call(method, path, asForm(example), { token })
  if (contentType === 'application/octet-stream') {
    const { file, ...query } = example
    const headers = { 'content-type': contentType }
    return server.call(method, `${path}?${asQuery(query)}`, String(file), { token, headers })
  }
  return server.call(method, path, example, { token })
}

function asQuery(fields: Record<string, unknown>): string {
  return new URLSearchParams(Object.entries(fields).map(([name, value]) => [name, String(value)])).toString()
}

function asForm(fields: Record<string, unknown>): FormData {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields))
    if (name === 'file') form.append(name, new Blob([String(value)]), 'example')
    else form.append(name, String(value))
  return form
}
