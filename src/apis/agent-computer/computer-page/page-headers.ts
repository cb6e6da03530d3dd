/** What the page may load and do: its own files and requests alone. Nothing of a computer is ever part of it. */
const contentPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  // The terminal and the editor make their style sheets in the browser.
  "style-src 'self' 'unsafe-inline'",
  "connect-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self' data:",
  "worker-src 'self'",
  "manifest-src 'self'",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

const everywhere = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
}

/** The headers of the page itself. */
export const pageHeaders = {
  ...everywhere,
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-cache',
  'content-security-policy': contentPolicy,
  'cross-origin-opener-policy': 'same-origin',
}

/** The headers of a file of the page, whose name changes with its content. */
export const assetHeaders = { ...everywhere, 'cache-control': 'public, max-age=31536000, immutable' }

/** The headers of every answer to a request of the page: data, never a document. */
export const dataHeaders = {
  ...everywhere,
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; sandbox",
}
