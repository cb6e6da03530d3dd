/** Adds a button to each block of code that copies its text, or selects it where pages cannot write to the clipboard. */
for (const figure of document.querySelectorAll('figure.code')) {
  const code = figure.querySelector('code')
  if (!code) continue
  const button = document.createElement('button')
  button.type = 'button'
  button.className = 'copy'
  button.textContent = 'Copy'
  button.addEventListener('click', () => {
    void copy(code).then((done) => {
      button.textContent = done
      setTimeout(() => (button.textContent = 'Copy'), 1500)
    })
  })
  figure.append(button)
}

/** @param {HTMLElement} code */
async function copy(code) {
  try {
    await navigator.clipboard.writeText(code.textContent)
    return 'Copied'
  } catch {
    getSelection()?.selectAllChildren(code)
    return 'Selected'
  }
}
