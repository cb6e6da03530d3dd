import { exampleCommand } from './example-command.ts'
import { rawBody } from '../operation-schema.ts'
import type { Operation } from './document.ts'
import { fieldList, fieldsOf, type Field } from './field-list.ts'
import { html, type Html } from './html.ts'

/** Returns the section of one route: its request and response, its example as a command, and a form to try it. */
export function operationSection(origin: string, operation: Operation): Html {
  const { id, method, path, summary, notes, isPublic, isSocket, request, answer, errors } = operation
  const requestList = requestFields(operation)
  const answerList = answer ? fieldsOf(answer.schema) : []
  return html`<section class="operation" id="${id}">
    <div class="prose">
      <h3>
        <a href="#${id}"><span class="method ${method.toLowerCase()}">${method}</span> <code>${path}</code></a>
      </h3>
      <p>${summary}.${notes && html` ${notes}`}${isPublic && html` <span class="type">No token needed.</span>`}</p>
      ${
        requestList.length > 0 &&
        html`<h4>Request${request && html` <span class="type">${request.contentType}</span>`}</h4>
          ${fieldList(requestList, 'request')}`
      }
      <h4>Response <span class="type">${answer?.contentType}</span></h4>
      ${answerList.length > 0 ? fieldList(answerList, 'answer') : html`<p>${isSocket ? 'A WebSocket.' : answer?.description}</p>`}
      ${errors.length > 0 && errorList(errors)}
    </div>
    <div class="demo">
      <figure class="code">
        <figcaption>${isSocket ? 'wscat' : 'curl'}</figcaption>
        <pre tabindex="0"><code>${exampleCommand(origin, operation)}</code></pre>
      </figure>
      ${!isSocket && tryForm(operation)}
    </div>
  </section>`
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

function errorList(errors: Operation['errors']): Html {
  return html`<details class="errors">
    <summary>Errors</summary>
    <dl class="fields">
      ${errors.map(
        ({ status, description }) =>
          html`<dt><code>${status}</code></dt>
            <dd>${description}</dd>`,
      )}
    </dl>
  </details>`
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
    <div class="actions">
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
