import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { surfaces } from '../../src/apis/surfaces.ts'
import { errorTable, type ErrorCode } from '../../src/errors.ts'
import { addSurfaces } from '../../src/http/add-surfaces.ts'
import { openApiText } from '../../src/http/openapi.ts'
import type { DocumentedMessage } from '../../src/http/documented-message.ts'
import type { Surface } from '../../src/http/surface.ts'
import { ownErrorFields } from '../../src/apis/own-errors.ts'
import { shapeOf } from '../../src/http/shape-of.ts'
import { routeApp } from '../support/route-app.ts'

const root = new URL('../../', import.meta.url)

/** Returns the pages that are generated from the code, by their path in the repository. */
export async function referencePages(): Promise<Record<string, string>> {
  const pages: Record<string, string> = { 'docs/ERRORS.md': errorsPage() }
  for (const surface of surfaces)
    pages[`docs/reference/${surface.name}.json`] = `${JSON.stringify(await openApiDocument(surface), null, 2)}\n`
  return pages
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

The errors of Carrel, from \`src/errors.ts\` and the \`errors.ts\` of each surface; \`npm run docs\` generates this page.
Each surface answers errors in the envelope of its document, at every address below its prefixes, whether the address
has a route or not:

| surface | addresses | envelope |
| --- | --- | --- |
${surfaces.map(envelopeRow).join('\n')}

On every surface but Pawpado, errors also have \`code\`, \`action\`, \`agentInstruction\`, \`retryable\`, \`requestId\` and
facts such as \`field\`. \`POST /auth/refresh\` belongs to the contracts of PaperPod and of Environments: its errors have
both envelopes, and are 422 only if \`refresh_token\` was sent.

| code | status | retry unchanged | action | what to do |
| --- | --- | --- | --- | --- |
${rows.join('\n')}

If the next step is a route or a command of a surface, the surface has its own instruction:

| surface | code | what to do |
| --- | --- | --- |
${surfaces.flatMap(instructionRows).join('\n')}

Codes that have another name on a surface:

${surfaces
  .flatMap(renamed)
  .map((sentence) => `- ${sentence}`)
  .join('\n')}
`
}

function envelopeRow({ title, prefixes, envelope: { schema } }: Surface): string {
  const addresses = prefixes.map((prefix) => (prefix === '' ? 'every address of no other surface' : `\`${prefix}\``))
  return `| ${title} | ${addresses.join(', ')} | \`${shapeOf(ownPart(schema))}\` |`
}

/** Returns the schema with the fields of the surface's document only, without those that Carrel adds. */
function ownPart(schema: object): object {
  const { properties, ...rest } = schema as { properties: Record<string, object> }
  const own = Object.entries(properties).filter(([name]) => !(name in ownErrorFields))
  return { ...rest, properties: Object.fromEntries(own) }
}

function instructionRows({ title, envelope, instructions }: Surface): string[] {
  return (Object.keys(instructions) as ErrorCode[]).map(
    (code) => `| ${title} | \`${envelope.codeOf(code)}\` | ${instructions[code]} |`,
  )
}

/** Returns sentences such as `OUT_OF_CREDITS` is `INSUFFICIENT_CREDITS` on Pawpado. */
function renamed({ title, envelope }: Surface): string[] {
  return (Object.keys(errorTable) as ErrorCode[])
    .map((code) => [code.toUpperCase(), envelope.codeOf(code)] as const)
    .filter(([own, theirs]) => own !== theirs.toUpperCase())
    .map(([own, theirs]) => `\`${own}\` is \`${theirs}\` on ${title}`)
}

export interface Document {
  paths: Record<
    string,
    Record<
      string,
      {
        responses: Record<
          string,
          { content: Record<string, { schema: { properties: Record<string, object> }; example?: unknown }> }
        >
        'x-messages'?: DocumentedMessage[]
      }
    >
  >
  components: { schemas: Record<string, object> }
}

/** Returns the document of all surfaces, or of one, as the server answers it. */
export async function openApiDocument(surface?: Surface): Promise<Document> {
  const { app, engine } = await routeApp()
  await addSurfaces(app, engine)
  await app.ready()
  const document = JSON.parse(openApiText(app, surface)) as Document
  await app.close()
  return document
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await mkdir(new URL('docs/reference', root), { recursive: true })
  for (const [path, content] of Object.entries(await referencePages())) await writeFile(new URL(path, root), content)
}
