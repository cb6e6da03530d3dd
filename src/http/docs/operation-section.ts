import type { Settings } from '../../config/settings.ts'
import { rawBody } from '../operation-schema.ts'
import { jsonFigure } from './code-figure.ts'
import type { Operation } from './document.ts'
import { fieldList, fieldsOf, type Field } from './field-list.ts'
import { html, type Html } from './html.ts'
import { messageSections } from './message-sections.ts'
import { sentence } from './sentence.ts'
import { sampleFigure } from './sample-figure.ts'
import { withAddresses } from './with-addresses.ts'

/** What the section of a route needs to know of its page. */
export interface PageFacts {
  origin: string
  settings: Settings
  /** The codes that the page explains, each at `#error-<code>`. */
  errorCodes: ReadonlySet<string>
}

/**
 * Returns the section of one route: its request and response, its example in several languages with the answer, and a
 * form to try it.
 */
export function operationSection({ origin, settings, errorCodes }: PageFacts, operation: Operation): Html {
  const { id, path, summary, notes, isPublic, isSocket, request, answer, errors } = operation
  const shown = (recorded: unknown) => withAddresses(recorded, origin, settings)
  const requestList = requestFields(operation)
  const answerList = answer ? fieldsOf(answer.schema) : []
  return html`<section class="operation" id="${id}">
      <div class="prose">
        <h3>
          <a href="#${id}">${methodBadge(operation)} <code>${path}</code></a>
        </h3>
        <p>
          ${summary}.${notes && html` ${sentence(notes)}`}${isPublic && html` <span class="type">No token needed.</span>`}
        </p>
        ${
          requestList.length > 0 &&
          html`<h4>Request${request && html` <span class="type">${request.contentType}</span>`}</h4>
            ${fieldList(requestList, 'request')}`
        }
        <h4>Response <span class="type">${answer?.contentType}</span></h4>
        ${answerList.length > 0 ? fieldList(answerList, 'answer') : html`<p>${isSocket ? 'A WebSocket' : answer?.description}.</p>`}
        ${errors.length > 0 && errorList(errors, errorCodes)}
      </div>
      <div class="demo">
        ${sampleFigure(origin, operation)}
        ${answer?.example !== undefined && jsonFigure(`${answer.status} · the answer`, shown(answer.example))}
        ${!isSocket && tryForm(operation)}
      </div>
    </section>
    ${messageSections(operation, shown)}`
}

/** Returns the method of a route as a badge; a WebSocket has one of its own. */
export function methodBadge({ method, isSocket }: Pick<Operation, 'method' | 'isSocket'>): Html {
  const name = isSocket ? 'WS' : method
  return html`<span class="method ${name.toLowerCase()}">${name}</span>`
}

function requestFields({ parameters, request }: Operation): Field[] {
  const named = parameters.map(({ name, schema, required = false, description, in: place }) => ({
    name: place === 'header' ? `${name} (header)` : name,
    schema,
    required,
    description,
  }))
  return [...(request ? fieldsOf(request.schema) : []), ...named]
}

function errorList(errors: Operation['errors'], explained: ReadonlySet<string>): Html {
  return html`<h4>Errors</h4>
    <ul class="codes">
      ${errors.map(({ status, code }) => {
        const name = html`<code>${code}</code>`
        return html`<li>${status} ${explained.has(code) ? html`<a href="#error-${code}">${name}</a>` : name}</li>`
      })}
    </ul>`
}

/** Returns the form to try a route, which needs the script and is hidden without it. */
function tryForm(operation: Operation): Html {
  const { id, method, path, parameters, request, isPublic } = operation
  const named = parameters.filter((parameter) => parameter.in === 'path' || parameter.in === 'query')
  const isForm = request?.contentType === 'multipart/form-data'
  const isRaw = request?.contentType === rawBody
  const fields = isForm ? fieldsOf(request.schema) : []
  return html`<form class="try" data-method="${method}" data-path="${path}" ${isPublic && html`data-public`} hidden>
    ${named.map(({ name, required, example }) => textField(`${id}-${name}`, name, required, example))}
    ${fields.map(({ name, required }) =>
      name === 'file'
        ? html`<label>${name} <input type="file" name="${name}" required /></label>`
        : textField(`${id}-${name}`, name, required, request?.example?.[name]),
    )}
    ${isRaw && html`<label>file <input type="file" name="file" required /></label>`}
    ${request && !isForm && !isRaw && html`<label>Body <textarea name="body" rows="${bodyRows(request.example)}" spellcheck="false" autocapitalize="off" autocomplete="off">${JSON.stringify(request.example, undefined, 2)}</textarea></label>`}
    <div class="actions send">
      <button type="submit">Send</button><button type="button" class="quiet" data-stop hidden>Stop</button
      ><output></output>
    </div>
    <pre class="answer" tabindex="0" hidden></pre>
  </form>`
}

function textField(id: string, name: string, required = false, example: unknown = undefined): Html {
  const value = typeof example === 'string' ? example : ''
  return html`<label for="${id}"
    >${name}
    <input
      id="${id}"
      name="${name}"
      value="${value}"
      ${required && html`required`}
      spellcheck="false"
      autocapitalize="off"
      autocomplete="off"
  /></label>`
}

function bodyRows(example: unknown): number {
  return JSON.stringify(example, undefined, 2).split('\n').length
}
