import { addExampleDataset, callExample, exampleOf, needsSecret, type Operation } from './call-example.ts'
import type { TestClient } from './test-client.ts'

/** Sends the documented example of every route that takes one unchanged, and has an end. */
export async function callEveryRoute(server: TestClient, token: string): Promise<void> {
  await addExampleDataset(server)
  const { body } = await server.call('GET', '/openapi.json', undefined, { token: null })
  const paths = Object.entries(body.paths as Record<string, Record<string, Operation>>)
  for (const [path, methods] of paths)
    for (const [name, operation] of Object.entries(methods)) {
      const method = name.toUpperCase()
      const isStream = operation.responses['200']?.content?.['text/event-stream'] !== undefined
      if (operation.responses['101'] || isStream || needsSecret.has(`${method} ${path}`)) continue
      await callExample(server, { method, path, ...exampleOf(operation) }, token)
    }
}
