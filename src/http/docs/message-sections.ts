import type { DocumentedMessage } from '../documented-message.ts'
import { codeFigure, jsonFigure } from './code-figure.ts'
import type { Operation, Schema } from './document.ts'
import { fieldList, fieldsOf } from './field-list.ts'
import { anchorOf } from './guide.ts'
import { sentence } from './sentence.ts'
import { operationId } from '../operation-schema.ts'
import { highlight } from './highlight.ts'
import { html, Html } from './html.ts'

/**
 * Returns the messages of a WebSocket in both directions, or the events of a stream. `shown` gets a recorded answer, and
 * returns what the page shows of it.
 */
export function messageSections({ id, isSocket, messages }: Operation, shown: (recorded: unknown) => unknown): Html[] {
  const sections = [
    [isSocket ? 'Messages that you send' : '', messages.filter(({ from }) => from === 'client')],
    [isSocket ? 'Messages that the server sends' : 'Events', messages.filter(({ from }) => from === 'server')],
  ] as const
  return sections
    .filter(([, members]) => members.length > 0)
    .map(
      ([title, members]) =>
        html`<div class="messages">
          <h4>${title}</h4>
          ${members.map((message) => messageSection(id, { ...message, answer: message.answer && shown(message.answer) }, isSocket))}
        </div>`,
    )
}

/** Returns the anchor of a message below its route. */
export function messageAnchor(operationId: string, { name, from }: Pick<DocumentedMessage, 'name' | 'from'>): string {
  return `${operationId}-${from}-${anchorOf(name)}`
}

function messageSection(operationId: string, message: DocumentedMessage, isSocket: boolean): Html {
  const { name, description, route, schema, answer, from } = message
  const fields = schema && !route ? fieldsOf(schema as Schema).filter((field) => field.name !== 'type') : []
  const anchor = messageAnchor(operationId, message)
  return html`<section class="message" id="${anchor}">
    <div class="prose">
      <h5>
        <a href="#${anchor}"><code>${name}</code></a>
      </h5>
      <p>${sentence(description)}</p>
      ${route !== undefined && html`<p>Its fields are those of ${routeLink(route)}, and so is the data of its answer.</p>`}
      ${fields.length > 0 && fieldList(fields, from === 'client' ? 'request' : 'answer')}
    </div>
    <div class="demo">
      ${exampleOf(message, isSocket)} ${answer !== undefined && !route && jsonFigure('The answer', answer)}
    </div>
  </section>`
}

function routeLink(route: string): Html {
  const [method = '', path = ''] = route.split(' ')
  return html`<a href="#${operationId(method, path)}"><code>${route}</code></a>`
}

function exampleOf({ name, example }: DocumentedMessage, isSocket: boolean): Html {
  if (typeof example === 'string') return codeFigure('Bytes', html`${example}`)
  if (isSocket) return jsonFigure('Message', example)
  return codeFigure('Event', new Html(`event: ${name}\ndata: ${highlight(JSON.stringify(example), 'json').text}`))
}
