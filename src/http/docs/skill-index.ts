import { version } from '../../version.ts'
import { firstExample } from './first-example.ts'
import { guideMarkdown } from './guide.ts'
import type { DocumentParts } from './parts.ts'

/** Returns the server in the Agent Skills format: YAML front matter with a name and a description, then Markdown. */
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

Carrel gives you isolated Linux computers: you run code, keep files, start servers and show them to others. This server is at ${origin}. It speaks several APIs on one account; each has a document of its own, which you read before you use it.

\`\`\`sh
export CARREL_TOKEN=pp_sess_...
\`\`\`

\`\`\`sh
${firstExample(parts)}
\`\`\`

## APIs

${surfaces.map(surfaceLines(origin)).join('\n')}

${guideMarkdown(surfaces[0]?.guide?.({ origin, settings }) ?? [])}
## Requests

- Bodies are JSON with \`content-type: application/json\`; a field that the route does not know is an error.
- A request that makes something can carry an \`Idempotency-Key\` header: repeated with the same key and body, it does nothing twice.
- An error is JSON with \`error\` (a sentence), \`code\`, \`action\`, \`agentInstruction\` (what to do next), \`retryable\` and \`requestId\`, unless the API has an envelope of its own; further fields are facts of the case, such as \`field\`. Follow \`agentInstruction\`; send the same request again only when \`retryable\` is true, after \`Retry-After\` where it is given.

## Command line

\`carrel\` (also called \`ppod\`) does all of this from a shell, with live input and output; it takes the token from \`CARREL_TOKEN\` and the server from \`CARREL_URL\`. \`carrel help\` lists its commands.
`
}

function surfaceLines(origin: string) {
  return ({ name, title, description, topics }: DocumentParts['surfaces'][number]): string => {
    const shown = topics.filter(({ skill }) => skill !== 'none').map((topic) => topic.name.toLowerCase())
    return `- **${title}** (${origin}/skills/${name}.md): ${description}${shown.length > 0 ? ` About ${shown.join(', ')}.` : ''}`
  }
}

const description =
  'Runs code and shell commands, keeps files, starts background processes and web servers with public preview addresses on isolated Linux computers of a Carrel server, over HTTP. Use when a task needs somewhere safe to run Python, JavaScript or shell code, to install packages, to build or test a project, to serve a web page, or to remember small files between sandboxes.'
