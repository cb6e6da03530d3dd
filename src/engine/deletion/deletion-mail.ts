import { escapeHtml } from '../../escape-html.ts'

/** Returns the message that announces the deletion to the user, who need not be the one who asked for it. */
export function deletionMail({ origin, deleteAtMs }: { origin: string; deleteAtMs: number }): {
  subject: string
  text: string
  html: string
} {
  const day = `${new Date(deleteAtMs).toISOString().slice(0, 16).replace('T', ' ')} UTC`
  const what = `Your account at ${origin}, with its sandboxes, files, keys and credit, will be deleted for good on ${day}. Until then everything works as before.`
  const how = 'To keep it, sign in before that time and run'
  const command = 'carrel account cancel-deletion'
  const warning =
    'If you did not ask for this, somebody else has one of your tokens: run "carrel logout --everywhere" as well, and sign in again.'
  return {
    subject: `Your Carrel account will be deleted on ${day.slice(0, 10)}`,
    text: `${what}\n\n${how}\n\n    ${command}\n\n${warning}\n`,
    html: `<p>${escapeHtml(what)}</p>\n<p>${how}</p>\n<pre>${command}</pre>\n<p>${escapeHtml(warning)}</p>\n`,
  }
}
