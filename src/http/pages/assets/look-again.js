/**
 * Asks for the page again, less and less often for two minutes, and loads it once its status is another one: a server in
 * a computer that starts is shown without a click, and a forgotten page does not keep the computer in use.
 */
const looking = /** @type {HTMLElement} */ (document.querySelector('[data-status]'))
const untilMs = performance.now() + 120_000
let delayMs = 1_500

looking.textContent = 'This page looks again by itself.'
setTimeout(() => void lookAgain(), delayMs)

async function lookAgain() {
  try {
    const { status } = await fetch(location.href, {
      method: 'HEAD',
      cache: 'no-store',
      redirect: 'manual',
      headers: { accept: 'text/html' },
    })
    if (String(status) !== looking.dataset['status']) return location.reload()
  } catch {
    // The server cannot be reached; it may be back soon.
  }
  if (performance.now() > untilMs) {
    looking.textContent = 'This page has stopped looking: load it again when the server runs.'
    return
  }
  delayMs = Math.min(delayMs * 1.3, 10_000)
  setTimeout(() => void lookAgain(), delayMs)
}
