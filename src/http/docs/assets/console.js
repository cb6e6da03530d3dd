/** The console of the page: sends the requests of its forms with the token of this tab. */

const tokenKey = 'carrel-token'
/** The max number of characters of an answer to show: more would slow the page down. */
const maxShown = 200_000
/** The types that browsers show as images. */
const imageTypes = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/svg+xml'])

const tokenInput = /** @type {HTMLInputElement} */ (document.querySelector('.token input'))
// The index has no forms.
if (document.querySelector('form.try')) tokenInput.form?.removeAttribute('hidden')
tokenInput.form?.addEventListener('submit', (event) => event.preventDefault())
// The token is stored for this tab only, and discarded with it.
tokenInput.value = sessionStorage.getItem(tokenKey) ?? ''
tokenInput.addEventListener('input', () => sessionStorage.setItem(tokenKey, tokenInput.value.trim()))

for (const form of document.querySelectorAll('form.try')) {
  if (!(form instanceof HTMLFormElement)) continue
  form.hidden = false
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    void send(form)
  })
}
followContents()

/** @param {HTMLFormElement} form */
async function send(form) {
  const { method = 'GET', path = '/', public: isPublic } = form.dataset
  const view = new AnswerView(form)
  const token = tokenInput.value.trim()
  if (isPublic === undefined && token === '') {
    view.fail('This route needs a token: enter it in the field at the top, then send again.')
    // The message stays in sight beside the button.
    tokenInput.focus({ preventScroll: true })
    return
  }
  const stop = new AbortController()
  view.begin(stop)
  try {
    const response = await fetch(addressOf(form, path, method), {
      method,
      headers: {
        ...(isPublic === undefined ? { authorization: `Bearer ${token}` } : {}),
        ...(form.elements.namedItem('body') ? { 'content-type': 'application/json' } : {}),
      },
      body: bodyOf(form, path, method),
      signal: stop.signal,
    })
    view.status(response)
    await show(response, view)
    view.end()
  } catch (error) {
    if (stop.signal.aborted) view.end('stopped')
    else view.fail(`No answer: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** @param {HTMLFormElement} form @param {string} path @param {string} method */
function addressOf(form, path, method) {
  const fields = new FormData(form)
  const address = path.replaceAll(/\{(\w+)\}/g, (_, name) => {
    const value = fields.get(name)
    return encodeURIComponent(typeof value === 'string' ? value : '')
  })
  if (!takesQuery(method)) return address
  const query = new URLSearchParams()
  for (const [name, value] of fields)
    if (typeof value === 'string' && value !== '' && !isInPath(name, path)) query.set(name, value)
  return query.size > 0 ? `${address}?${query}` : address
}

/** The body of a PUT is a file. @param {string} method */
function takesQuery(method) {
  return method === 'GET' || method === 'PUT'
}

/** @param {string} name @param {string} path */
function isInPath(name, path) {
  return path.includes(`{${name}}`)
}

/** @param {HTMLFormElement} form @param {string} path @param {string} method */
function bodyOf(form, path, method) {
  if (method === 'GET') return undefined
  if (takesQuery(method)) return /** @type {File} */ (new FormData(form).get('file'))
  const text = form.elements.namedItem('body')
  if (text instanceof HTMLTextAreaElement) return text.value
  // The file comes last: the fields before it say where it goes.
  const fields = [...new FormData(form)].filter(([name, value]) => value !== '' && !isInPath(name, path))
  if (fields.length === 0) return undefined
  const ordered = new FormData()
  for (const isFile of [false, true])
    for (const [name, value] of fields) if (value instanceof File === isFile) ordered.append(name, value)
  return ordered
}

/** @param {Response} response @param {AnswerView} view */
async function show(response, view) {
  const type = response.headers.get('content-type')?.split(';')[0] ?? ''
  if (type === 'text/event-stream') return showEvents(response, view)
  if (type === 'application/json') {
    const text = await response.text()
    for (const image of imagesIn(text)) view.image(image)
    return view.text(indented(text))
  }
  const blob = await response.blob()
  if (type.startsWith('image/')) return view.image(blob)
  if (type.startsWith('text/') || (await isText(blob))) return view.text(await blob.text())
  view.file(blob, fileName(response))
}

/** Returns the images that an answer contains as base64, such as figures. @param {string} json @returns {Blob[]} */
function imagesIn(json) {
  try {
    const { results } = JSON.parse(json)
    return results.filter(isImage).map(imageOf)
  } catch {
    return []
  }
}

/** @param {{ type?: unknown, mimeType?: unknown, data?: unknown } | null | undefined} value */
function isImage(value) {
  return value?.type === 'image' && typeof value.data === 'string' && imageTypes.has(String(value.mimeType))
}

/** @param {{ mimeType: string, data: string }} image */
function imageOf({ mimeType, data }) {
  return new Blob([Uint8Array.from(atob(data), (byte) => byte.charCodeAt(0))], { type: mimeType })
}

/** Shows events as they arrive, each on its own lines. @param {Response} response @param {AnswerView} view */
async function showEvents(response, view) {
  let rest = ''
  const decoder = new TextDecoder()
  const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    rest += decoder.decode(value, { stream: true })
    const frames = rest.split('\n\n')
    rest = frames.pop() ?? ''
    for (const frame of frames) {
      const lines = frame.split('\n')
      const field = (/** @type {string} */ name) =>
        lines
          .filter((line) => line.startsWith(`${name}: `))
          .map((line) => line.slice(name.length + 2))
          .join('\n')
      const data = field('data')
      if (data) view.event(field('event') || 'message', data)
    }
  }
}

/** The view of one form's answer. */
class AnswerView {
  /** @param {HTMLFormElement} form */
  constructor(form) {
    this.output = /** @type {HTMLOutputElement} */ (form.querySelector('output'))
    this.answer = /** @type {HTMLPreElement} */ (form.querySelector('.answer'))
    this.button = /** @type {HTMLButtonElement} */ (form.querySelector('button[type=submit]'))
    this.stopButton = /** @type {HTMLButtonElement} */ (form.querySelector('[data-stop]'))
    this.startedMs = performance.now()
    this.shown = 0
  }

  /** @param {AbortController} stop */
  begin(stop) {
    this.startedMs = performance.now()
    this.button.disabled = true
    this.stopButton.hidden = false
    this.stopButton.onclick = () => stop.abort()
    this.output.textContent = 'Sending …'
    this.answer.replaceChildren()
    this.answer.hidden = true
  }

  /** @param {Response} response */
  status({ status, statusText, ok }) {
    this.output.replaceChildren(labelled(ok ? 'good' : 'bad', `${status} ${statusText}`))
  }

  end(note = '') {
    const ms = performance.now() - this.startedMs
    const time = ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
    this.output.append(` · ${time}${note && ` · ${note}`}`)
    this.finish()
  }

  /** @param {string} message */
  fail(message) {
    this.output.replaceChildren(labelled('bad', message))
    this.finish()
  }

  finish() {
    this.button.disabled = false
    this.stopButton.hidden = true
  }

  /** @param {string} text */
  text(text) {
    const room = Math.max(0, maxShown - this.shown)
    const wasBelow = this.shown < maxShown
    this.shown += text.length
    this.answer.hidden = false
    this.answer.append(text.slice(0, room))
    if (wasBelow && this.shown >= maxShown) this.answer.append('\n… the rest is not shown')
  }

  /** @param {string} name @param {string} data */
  event(name, data) {
    if (this.shown < maxShown) this.answer.append(labelled('event', name), ' ')
    this.text(`${data}\n`)
    this.answer.scrollTop = this.answer.scrollHeight
  }

  /** @param {Blob} blob */
  image(blob) {
    const image = document.createElement('img')
    image.src = URL.createObjectURL(blob)
    image.alt = 'The image in the answer'
    this.answer.hidden = false
    this.answer.append(image)
  }

  /** @param {Blob} blob @param {string} name */
  file(blob, name) {
    const link = document.createElement('a')
    link.href = URL.createObjectURL(blob)
    link.download = name
    link.textContent = `Save ${name} (${blob.size} bytes)`
    this.answer.hidden = false
    this.answer.append(link)
  }
}

/** @param {string} className @param {string} text */
function labelled(className, text) {
  const span = document.createElement('span')
  span.className = className
  span.textContent = text
  return span
}

/** Shortens the base64 of an image, which is not readable. @param {{ data: string }} image */
function withoutData(image) {
  return { ...image, data: `${image.data.slice(0, 40)}… (${image.data.length} characters)` }
}

/** @param {string} json */
function indented(json) {
  try {
    return JSON.stringify(JSON.parse(json), (_, value) => (isImage(value) ? withoutData(value) : value), 2)
  } catch {
    return json
  }
}

/** @param {Blob} blob */
async function isText(blob) {
  if (blob.size > maxShown) return false
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(await blob.arrayBuffer())
    return !text.includes('\0')
  } catch {
    return false
  }
}

/** @param {Response} response */
function fileName(response) {
  const [, name] = /filename\*=UTF-8''([^;]+)/.exec(response.headers.get('content-disposition') ?? '') ?? []
  return name ? decodeURIComponent(name) : 'answer.bin'
}

/** Marks the current section in the contents, and closes the menu of small screens after a choice. */
function followContents() {
  const menu = /** @type {HTMLDetailsElement} */ (document.querySelector('.menu'))
  menu.addEventListener('click', ({ target }) => {
    if (target instanceof Element && target.closest('a')) menu.open = false
  })
  document.addEventListener('keydown', ({ key }) => {
    if (key === 'Escape') menu.open = false
  })
  const observer = new IntersectionObserver(
    (entries) => {
      const entry = entries.find(({ isIntersecting }) => isIntersecting)
      if (!entry) return
      for (const link of document.querySelectorAll('.contents a')) {
        if (link.getAttribute('href') === `#${entry.target.id}`) link.setAttribute('aria-current', 'true')
        else link.removeAttribute('aria-current')
      }
      document.querySelector('aside a[aria-current]')?.scrollIntoView({ block: 'nearest' })
    },
    { rootMargin: '-10% 0px -80%' },
  )
  for (const section of document.querySelectorAll('section[id]')) observer.observe(section)
}
