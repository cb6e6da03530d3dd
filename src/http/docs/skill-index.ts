import { version } from '../../version.ts'
import { installClient } from '../install-client.ts'
import { firstExample } from './first-example.ts'
import { guideMarkdown } from './guide.ts'
import type { DocumentParts } from './parts.ts'

/** Describes the server in the Agent Skills format: YAML front matter with a name and a description, then Markdown. */
export function skillIndex(parts: DocumentParts): string {
  const { surfaces, origin, settings } = parts
  return `---
name: carrel
description: ${JSON.stringify(description)}
license: Apache-2.0
compatibility: ${JSON.stringify(`Needs a token of the Carrel server at ${origin} and curl or any other HTTP client.`)}
metadata:
  version: "${version}"
---

# Carrel

Carrel gives you isolated Linux computers, on which you run code, store files, start servers and share them with others. This server is at ${origin}. It provides several APIs on one account; read the document of an API before you use it.

\`\`\`sh
export CARREL_TOKEN=pp_sess_...
\`\`\`

\`\`\`sh
${firstExample(parts)}
\`\`\`

## APIs

${surfaces.map(surfaceLines(origin)).join('\n')}

${guideMarkdown(surfaces[0]?.guide?.({ origin, settings }) ?? [])}
## On every API

- ${unknownFields(surfaces)}
- Requests that create something accept an \`Idempotency-Key\` header: repeating a request with the same key and body does nothing twice.
- An error is JSON with \`error\` (a sentence), \`code\`, \`action\`, \`agentInstruction\` (what to do next), \`retryable\` and \`requestId\`, unless the API has its own error envelope; more fields give the facts of the error, such as \`field\`. Follow \`agentInstruction\`; repeat a request only if \`retryable\` is true, and after \`Retry-After\` if it is set.

## Command line

\`carrel\` (also called \`ppod\`) does all of this from a shell, with live input and output; it reads the token from \`CARREL_TOKEN\` and the server from \`CARREL_URL\`. \`carrel help\` lists its commands. ${installClient}
`
}

/** Returns which routes refuse a field that they do not have; the guide above says what the others do. */
function unknownFields(surfaces: DocumentParts['surfaces']): string {
  const strict = surfaces.filter(({ takesUnknownFields }) => !takesUnknownFields).map(({ title }) => title)
  const apis = strict.length === 0 ? '' : `, and so do all routes of the API ${strict.join(' and ')}`
  return `The rules for requests are the same. A route that grants rights or sets limits (API keys, billing preferences) refuses a field that it does not have, since a misspelt limit would grant more${apis}; the error names the field that was probably meant.`
}

function surfaceLines(origin: string) {
  return ({ name, title, description, topics }: DocumentParts['surfaces'][number]): string => {
    const shown = topics.filter(({ skill }) => skill !== 'none').map((topic) => topic.name.toLowerCase())
    return `- **${title}** (${origin}/skills/${name}.md): ${description}${shown.length > 0 ? ` Topics: ${shown.join(', ')}.` : ''}`
  }
}

const description =
  'Runs code and shell commands, stores files, and starts background processes and web servers with public preview URLs, on isolated Linux computers of a Carrel server, over HTTP. Use when a task needs a safe place to run Python, JavaScript or shell code, to install packages, to build or test a project, to serve a web page, or to keep small files across sandboxes.'
