import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { addUsageRoutes } from '../../src/apis/agent-computer/usage-routes.ts'
import { addAgentComputerRoutes } from '../../src/apis/agent-computer/routes.ts'
import { addEnvironmentsRoutes } from '../../src/apis/environments/routes.ts'
import { errorEnvelopes } from '../../src/apis/error-envelopes.ts'
import { addPaperpodRoutes } from '../../src/apis/paperpod/routes.ts'
import { codeOf as pawpadoCode } from '../../src/apis/pawpado/errors.ts'
import { addPawpadoRoutes } from '../../src/apis/pawpado/routes.ts'
import { errorTable, type ErrorCode } from '../../src/errors.ts'
import { addDocs } from '../../src/http/docs/routes.ts'
import { addOpenApi, openApiBelow } from '../../src/http/openapi.ts'
import { routeApp } from '../support/route-app.ts'

const root = new URL('../../', import.meta.url)

/** Returns the pages that are generated from the code, by their path in the repository. */
export async function referencePages(): Promise<Record<string, string>> {
  return { 'docs/ERRORS.md': errorsPage(), 'docs/reference/openapi.json': await openApiPage() }
}

export function readPage(path: string): Promise<string> {
  return readFile(new URL(path, root), 'utf8')
}

function errorsPage(): string {
  const rows = Object.entries(errorTable).map(
    ([code, { status, retryable, action, instruction }]) =>
      `| \`${code.toUpperCase()}\` | ${status} | ${retryable ? 'yes' : 'no'} | \`${action}\` | ${instruction} |`,
  )
  return `# Errors

Every error that Carrel answers with, from \`src/errors.ts\`; \`npm run docs\` writes this page. Each surface has its document's envelope, for every address below it, routes or none:

| surface | addresses | envelope |
| --- | --- | --- |
| PaperPod, and Carrel's own | all that no other has, \`/v1/workspaces\`, \`/v1/exec\`, \`/users/me/sessions\` | \`error\` (a sentence) |
| environments | below \`/auth\`, \`/users\`, \`/billing\`, \`/sessions\`, \`/samples\`, \`/datasets\` | \`detail: { code, message }\`; a bad value is 422 with \`detail: [{ loc, msg, type }]\`, as FastAPI has it. Beside it \`error\`, as above |
| Agent Computer | below \`/v1\` | \`error: { code, message }\`, with the code in lower case; \`ROUTE_NOT_FOUND\` is \`not_found\` |
| Pawpado | below \`/api/v1\` | \`error\` (the code) and \`message\` (the sentence, which names the field that is wrong), and nothing else |

Except on Pawpado's, \`code\`, \`action\`, \`agentInstruction\`, \`retryable\`, \`requestId\` and facts of the case such as \`field\` stand beside it. \`POST /auth/refresh\` is PaperPod's and the environments' at once: its errors
have both, and are 422 only where \`refresh_token\` was sent. Codes that Pawpado's document calls otherwise: ${renamed()}.

| code | status | retry as it is | action | what to do |
| --- | --- | --- | --- | --- |
${rows.join('\n')}
`
}

/** Returns the codes that have another name in Pawpado, such as `OUT_OF_CREDITS` is `INSUFFICIENT_CREDITS`. */
function renamed(): string {
  return (Object.keys(errorTable) as ErrorCode[])
    .map((code) => [code.toUpperCase(), pawpadoCode(code)] as const)
    .filter(([own, theirs]) => own !== theirs)
    .map(([own, theirs]) => `\`${own}\` is \`${theirs}\``)
    .join(', ')
}

async function openApiPage(): Promise<string> {
  return `${JSON.stringify(await openApiDocument(), null, 2)}\n`
}

export interface Document {
  paths: Record<
    string,
    Record<
      string,
      { responses: Record<string, { content: Record<string, { schema: { properties: Record<string, object> } }> }> }
    >
  >
  components: { schemas: Record<string, object> }
}

/** Returns the OpenAPI document of the routes below a path, as the server returns it. */
export async function openApiDocument(under = ''): Promise<Document> {
  const { app, engine } = await routeApp()
  await addOpenApi(app, errorEnvelopes)
  addPaperpodRoutes(app, engine)
  addUsageRoutes(app, engine)
  addEnvironmentsRoutes(app, engine)
  addAgentComputerRoutes(app, engine)
  addPawpadoRoutes(app, engine)
  addDocs(app, engine)
  await app.ready()
  const document = openApiBelow(app, under)
  await app.close()
  return document as Document
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, content] of Object.entries(await referencePages())) await writeFile(new URL(path, root), content)
}
