/**
 * Shows progress on stderr: on a terminal one line that counts the seconds, elsewhere one line at the start and one at
 * the end.
 * @param {string} label
 */
export function startProgress(label) {
  const startedMs = Date.now()
  const terminal = process.stderr.isTTY
  let detail = ''

  const seconds = () => `${Math.round((Date.now() - startedMs) / 1000)} s`
  const draw = () => process.stderr.write(`\r\u001b[2K${label} … ${detail}${detail && '  '}${seconds()}`)
  const timer = terminal ? setInterval(draw, 200) : undefined
  if (!terminal) process.stderr.write(`${label} …\n`)

  /** @param {string} outcome */
  const end = (outcome) => {
    clearInterval(timer)
    process.stderr.write(`${terminal ? '\r\u001b[2K' : ''}${label}: ${outcome}, ${seconds()}\n`)
  }
  return {
    /** @param {string} text the current step */
    update: (text) => {
      detail = text
    },
    done: () => end('done'),
    failed: () => end('failed'),
  }
}
