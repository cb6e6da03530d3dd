/** Applies the chosen language to every sample of the pages, and remembers it; adds a button that copies code. */

const languageKey = 'carrel-language'

choose(recall() ?? 'shell')
document.addEventListener('change', ({ target }) => {
  if (!(target instanceof HTMLInputElement) || !target.closest('.samples')) return
  // The sample that was clicked stays where it is, while those above it change their heights.
  const before = target.getBoundingClientRect().top
  choose(target.value)
  scrollBy({ top: target.getBoundingClientRect().top - before, behavior: 'instant' })
  remember(target.value)
})
for (const figure of document.querySelectorAll('figure.code')) addCopyButton(figure)

/** @param {string} language */
function choose(language) {
  for (const input of document.querySelectorAll('.samples input'))
    if (input instanceof HTMLInputElement && input.value === language) input.checked = true
}

/** Browsers can refuse storage. */
function recall() {
  try {
    return localStorage.getItem(languageKey)
  } catch {
    return null
  }
}

/** @param {string} language */
function remember(language) {
  try {
    localStorage.setItem(languageKey, language)
  } catch {
    // The choice then holds for this page.
  }
}

/** @param {Element} figure */
function addCopyButton(figure) {
  const button = document.createElement('button')
  button.type = 'button'
  button.className = 'copy'
  button.textContent = 'Copy'
  button.addEventListener('click', () => {
    const visible = [...figure.querySelectorAll('pre')].find((pre) => pre.offsetParent !== null)
    const code = visible?.querySelector('code')
    if (!code) return
    void copy(code).then((done) => {
      button.textContent = done
      setTimeout(() => (button.textContent = 'Copy'), 1500)
    })
  })
  figure.append(button)
}

/** Copies text, or selects it where pages cannot write to the clipboard, as over plain HTTP. @param {HTMLElement} code */
async function copy(code) {
  try {
    await navigator.clipboard.writeText(code.textContent)
    return 'Copied'
  } catch {
    getSelection()?.selectAllChildren(code)
    return 'Selected'
  }
}
