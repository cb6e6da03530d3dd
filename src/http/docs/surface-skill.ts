import type { Surface, Topic } from '../surface.ts'
import { operationsByTopic, type Operation } from './document.ts'
import { errorsOf } from './errors.ts'
import { exampleCommand } from './samples/curl.ts'
import { guideMarkdown } from './guide.ts'
import { sentence } from './sentence.ts'
import type { DocumentParts } from './parts.ts'

/**
 * Returns the document of one surface for agents: its guide, its routes with an example each, its errors and its
 * limits.
 */
export function surfaceSkill(surface: Surface, { reference, origin, settings }: DocumentParts): string {
  const topics = operationsByTopic(reference(surface))
  const detailOf = (name: string) => surface.topics.find((topic) => topic.name === name)?.skill ?? 'full'
  const sections = topics
    .filter(({ name }) => detailOf(name) !== 'none')
    .map((topic) => topicSection(origin, topic, detailOf(topic.name)))
  const limits = surface.limits?.(settings) ?? []
  return `# ${surface.title}

${surface.description} This server is at ${origin}; ${origin}/openapi/${surface.name}.json has every schema, ${origin}/docs/${surface.name} is the documentation for humans.

${guideMarkdown(surface.guide?.({ origin, settings }) ?? [])}
${sections.join('\n')}
## Errors

| code | status | what to do |
| --- | --- | --- |
${errorsOf(surface)
  .map(({ code, status, instruction }) => `| \`${code}\` | ${status} | ${instruction} |`)
  .join('\n')}
${limits.length > 0 ? `\n## Limits\n\n${limits.map(([what, bound]) => `- ${what}: ${bound}`).join('\n')}\n` : ''}`
}

function topicSection(
  origin: string,
  { name, description, operations }: ReturnType<typeof operationsByTopic>[number],
  detail: Topic['skill'],
): string {
  const shown = operations.map((operation) =>
    detail === 'full' ? operationSection(origin, operation) : operationLine(operation),
  )
  return `## ${name}\n\n${description}\n\n${shown.join('\n')}\n`
}

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
  const parameterNames = fields.map(({ name, required }) => `\`${name}\`${required ? '' : '?'}`).join(', ')
  return `### ${method} ${path}

${sentence(summary)}${notes ? ` ${sentence(notes)}` : ''}

${parameterNames ? `- request: ${parameterNames}\n` : ''}- response: ${isSocket ? 'a WebSocket' : `\`${answer?.description}\``}

\`\`\`sh
${exampleCommand(origin, operation)}
\`\`\`
`
}
