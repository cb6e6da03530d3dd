import type { Settings } from '../../config/settings.ts'
import { errorTable } from '../../errors.ts'
import { exampleCommand } from './example-command.ts'
import { operationsByTopic, type OpenApiDocument, type Operation } from './document.ts'
import { limitFacts } from './facts.ts'

/** The server in the Agent Skills format: YAML front matter with a name and a description, then Markdown. */
export function skillPage(document: OpenApiDocument, origin: string, settings: Settings): string {
  const topics = operationsByTopic(document).filter(({ name }) => !notForAgents.has(name))
  return `---
name: carrel
description: ${JSON.stringify(description)}
license: Apache-2.0
compatibility: ${JSON.stringify(`Needs a token of the Carrel server at ${origin} and curl or any other HTTP client.`)}
metadata:
  version: "${document.info.version}"
---

# Carrel

Carrel gives you isolated Linux computers, called sandboxes: you run code, keep files, start servers and show them to others.
This server is at ${origin}.

- \`sessionId\` in a request picks a sandbox by a name of your own; without it you get the account's default one. The first request makes it, in tens of milliseconds.
- You are the user \`node\` with sudo, in \`/workspace\`; a relative path is under it. \`GET /\` lists the tools that are installed; the internet can be reached.
- Requests with the same \`sessionId\` share files and processes. Files are lost when the sandbox stops; what shall stay goes to \`/memory/*\`.
- A program that fails is no error of the request: look at \`exitCode\`, and at \`reason\` for why it ended (\`exited\`, \`signalled\`, \`timeout\`, \`oom\`, \`disk_full\`, \`stopped\`, \`lost\`).

## Authentication

Every call but those under "No token needed" takes \`Authorization: Bearer <token>\`. Tokens look like \`pp_sess_...\` and come to a person by mail (\`POST ${origin}/login {"email"}\`), to who holds a wallet by its proof (\`POST ${origin}/login {"wallet"}\` with a client of the Machine Payments Protocol; nothing is paid), or from the operator of the server. The examples take it from a variable:

\`\`\`sh
export CARREL_TOKEN=pp_sess_...
\`\`\`

Bodies are JSON with \`content-type: application/json\`; a field that the route does not know is an error. A request that makes something can carry an \`Idempotency-Key\` header: when it is repeated with the same key and body, nothing is done twice.

${topics.map(topicSection(origin)).join('\n')}
## No token needed

- \`GET ${origin}/\`: what this server is and every route, as JSON
- \`GET ${origin}/openapi.json\`: every schema
- \`GET ${origin}/docs\`: the same to read, with a console
- \`GET ${origin}/health\`: whether it is there

## Errors

An error is JSON with \`error\` (a sentence), \`code\`, \`action\`, \`agentInstruction\` (what to do next), \`retryable\` and \`requestId\`; further fields are facts of the case, such as \`field\`. Follow \`agentInstruction\`; send the same request again only when \`retryable\` is true, after \`Retry-After\` where it is given.

| code | status | what to do |
| --- | --- | --- |
${Object.entries(errorTable)
  .map(([code, { status, instruction }]) => `| \`${code.toUpperCase()}\` | ${status} | ${instruction} |`)
  .join('\n')}

## Limits

${limitFacts(settings)
  .map(([what, bound]) => `- ${what}: ${bound}`)
  .join('\n')}

## Command line

\`carrel\` (also called \`ppod\`) does all of this from a shell, with live input and output; it takes the token from \`CARREL_TOKEN\` and the server from \`CARREL_URL\`. \`carrel help\` lists its commands.
`
}

/** What a person does, now and then. */
const notForAgents = new Set(['Server', 'Sign-in', 'Billing'])

const description =
  'Runs code and shell commands, keeps files, starts background processes and web servers with public preview addresses on isolated Linux computers of a Carrel server, over HTTP. Use when a task needs somewhere safe to run Python, JavaScript or shell code, to install packages, to build or test a project, to serve a web page, or to remember small files between sandboxes.'

function topicSection(origin: string) {
  return ({ name, description, operations }: { name: string; description: string; operations: Operation[] }): string =>
    `## ${name}\n\n${description}\n\n${operations.map((operation) => (inFull.has(name) ? operationSection(origin, operation) : operationLine(operation))).join('\n')}`
}

/** What a skill is for. The rest is told in a line each, as a skill has to stay short enough to be read whole. */
const inFull = new Set(['Code', 'Files', 'Processes', 'Previews', 'Memory', 'WebSocket'])

function operationLine({ method, path, summary }: Operation): string {
  return `- \`${method} ${path}\`: ${summary}`
}

function operationSection(origin: string, operation: Operation): string {
  const { method, path, summary, notes, request, parameters, answer, isSocket } = operation
  const fields = [
    ...parameters.filter((parameter) => parameter.in === 'query'),
    ...Object.entries(request?.schema.properties ?? {}).map(([name]) => ({
      name,
      required: request?.schema.required?.includes(name) ?? false,
    })),
  ]
  const takes = fields.map(({ name, required }) => `\`${name}\`${required ? '' : '?'}`).join(', ')
  return `### ${method} ${path}

${sentence(summary)}${notes ? ` ${sentence(notes)}` : ''}

${takes ? `- takes: ${takes}\n` : ''}- answers: ${isSocket ? 'a WebSocket' : `\`${answer?.description}\``}

\`\`\`sh
${exampleCommand(origin, operation)}
\`\`\`
`
}

function sentence(text: string): string {
  return text.endsWith('.') ? text : `${text}.`
}
