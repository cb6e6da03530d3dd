/** Searches the reference of every API, in an index that is loaded at the first search. */

/** @typedef {{ surface: string, kind: string, title: string, detail: string, href: string, words?: string }} Entry */

const maxResults = 12
const box = /** @type {HTMLElement} */ (document.querySelector('.search'))
const input = /** @type {HTMLInputElement} */ (box.querySelector('input'))
const list = /** @type {HTMLUListElement} */ (box.querySelector('.results'))
/** @type {Promise<Entry[]> | undefined} */
let index
let chosen = 0

box.hidden = false
input.addEventListener('focus', () => void load())
input.addEventListener('input', () => void search())
input.addEventListener('keydown', followKeys)
document.addEventListener('keydown', (event) => {
  const isTyping = event.target instanceof HTMLElement && event.target.matches('input, textarea')
  if (event.key !== '/' || isTyping || event.ctrlKey || event.metaKey || event.altKey) return
  event.preventDefault()
  input.focus()
  input.select()
})
document.addEventListener('click', ({ target }) => {
  if (target instanceof Node && !box.contains(target)) close()
})

function load() {
  index ??= fetch(box.dataset['index'] ?? '').then((response) => response.json())
  index.catch(() => (index = undefined))
  return index
}

async function search() {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return close()
  const query = input.value
  const entries = await load()
  // Another letter may have been typed while the index was loaded.
  if (input.value !== query) return
  const found = entries
    .map((entry) => ({ entry, score: scoreOf(entry, words) }))
    .filter(({ score }) => score > 0)
    .toSorted((a, b) => b.score - a.score)
    .slice(0, maxResults)
  show(
    found.map(({ entry }) => entry),
    words,
  )
}

/** Every word has to be found; in the title, and at the beginning of a word, it counts more. @param {Entry} entry @param {string[]} words */
function scoreOf({ title, detail, words: more = '', kind, href }, words) {
  let score = 0
  for (const word of words) {
    const best = Math.max(
      scoreIn(title, word) * 6,
      Math.max(...more.split(' ').map((name) => scoreIn(name, word))) * 5,
      scoreIn(detail, word) * 2,
      kind === word ? 4 : 0,
    )
    if (best === 0) return 0
    score += best
  }
  const isHere = href.startsWith(`${location.pathname}#`)
  const isPhrase = words.length > 1 && title.toLowerCase().includes(words.join(' '))
  return score + (isPhrase ? 10 : 0) + (kind === 'route' ? 1 : 0) + (isHere ? 3 : 0) - title.length / 100
}

/** @param {string} text @param {string} word */
function scoreIn(text, word) {
  const lower = text.toLowerCase()
  const at = lower.indexOf(word)
  if (at < 0) return 0
  if (lower === word) return 3
  return at === 0 || /[^a-z0-9]/.test(lower[at - 1] ?? '') ? 2 : 1
}

/** @param {Entry[]} entries @param {string[]} words */
function show(entries, words) {
  chosen = 0
  list.replaceChildren(...(entries.length === 0 ? [nothing()] : entries.map((entry, at) => item(entry, words, at))))
  list.hidden = false
  input.setAttribute('aria-expanded', 'true')
  mark()
}

function nothing() {
  const row = document.createElement('li')
  row.className = 'nothing'
  row.textContent = 'Nothing has these words.'
  return row
}

/** @param {Entry} entry @param {string[]} words @param {number} at */
function item({ surface, kind, title, detail, href, words: more = '' }, words, at) {
  const row = document.createElement('li')
  row.id = `result-${at}`
  row.setAttribute('role', 'option')
  const link = document.createElement('a')
  link.href = href
  link.tabIndex = -1
  link.addEventListener('click', () => close())
  const fields = more.split(' ').filter((name) => words.some((word) => name.toLowerCase().includes(word)))
  const [method = '', path = ''] = kind === 'route' ? title.split(' ') : []
  const name = path
    ? [part('span', `method ${method.toLowerCase()}`, method), part('code', '', path)]
    : [part('code', '', title)]
  const first = document.createElement('div')
  first.append(...name, part('small', '', path ? surface : `${kind} · ${surface}`))
  link.append(first, part('p', '', fields.length > 0 ? `${fields.slice(0, 4).join(', ')} · ${detail}` : detail))
  row.append(link)
  return row
}

/** @param {string} tag @param {string} className @param {string} text */
function part(tag, className, text) {
  const element = document.createElement(tag)
  if (className) element.className = className
  element.textContent = text
  return element
}

/** @param {KeyboardEvent} event */
function followKeys(event) {
  const links = list.querySelectorAll('a')
  if (event.key === 'Escape') {
    if (list.hidden) input.blur()
    close()
  } else if (links.length === 0 || list.hidden) return
  else if (event.key === 'ArrowDown') chosen = (chosen + 1) % links.length
  else if (event.key === 'ArrowUp') chosen = (chosen + links.length - 1) % links.length
  else if (event.key === 'Enter') links[chosen]?.click()
  else return
  event.preventDefault()
  mark()
}

function mark() {
  for (const [at, row] of [...list.children].entries()) row.setAttribute('aria-selected', String(at === chosen))
  const row = list.children[chosen]
  row?.scrollIntoView({ block: 'nearest' })
  if (row?.id && !list.hidden) input.setAttribute('aria-activedescendant', row.id)
  else input.removeAttribute('aria-activedescendant')
}

function close() {
  list.hidden = true
  input.setAttribute('aria-expanded', 'false')
  input.removeAttribute('aria-activedescendant')
}
