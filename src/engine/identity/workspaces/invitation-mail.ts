import { escapeHtml } from '../../../escape-html.ts'
import type { Role } from '../accounts/roles.ts'

/**
 * Returns the message with an invitation. It names the inviter by a verified address only, and the workspace only by a
 * name that is a mere name: nobody can send their own text, or links, in the name of the server.
 */
export function invitationMail(parts: { link: string; workspace: string; inviter: string | undefined; role: Role }): {
  subject: string
  text: string
  html: string
} {
  const { link, workspace, inviter, role } = parts
  const who = inviter ?? 'Its owner'
  const where = isMereName(workspace) ? `the workspace "${workspace}"` : 'a workspace'
  const text = `${who} invites you into ${where} as ${role}.`
  return {
    subject: 'You are invited into a workspace of Carrel',
    text: `${text}

Open this link to accept:

${link}

It works once, within 7 days. If you do not know who this is, ignore the message: nothing happens.
`,
    html: `<p>${escapeHtml(text)}</p>
<p><a href="${escapeHtml(link)}">Accept the invitation</a></p>
<p>The link works once, within 7 days. If you do not know who this is, ignore the message: nothing happens.</p>
`,
  }
}

/**
 * Returns whether a name consists of letters, digits and punctuation of names, without a dot of any script: nothing
 * that a mail program would turn into a link or a phone number. Compatibility characters, such as "⒈", are decomposed
 * first.
 */
function isMereName(name: string): boolean {
  const plain = name.normalize('NFKC')
  const digits = plain.match(/\p{N}/gu)?.length ?? 0
  return /^[\p{L}\p{M}\p{Nd} ,'’&()-]*$/u.test(plain) && !/\bwww\b/i.test(plain) && digits <= maxDigits
}

/** Enough for "Class of 2026, group 12". */
const maxDigits = 6
