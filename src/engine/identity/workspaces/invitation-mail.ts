import { escapeHtml } from '../../../escape-html.ts'
import type { Role } from '../accounts/roles.ts'

/**
 * The message that carries an invitation. Whom it is from is told by a proved address alone, and the workspace by its name where that is no
 * address of its own: nobody sends words of theirs, or links, in the name of the server.
 */
export function invitationMail(parts: { link: string; workspace: string; inviter: string | undefined; role: Role }): {
  subject: string
  text: string
  html: string
} {
  const { link, workspace, inviter, role } = parts
  const who = inviter ?? 'Its owner'
  const where = isMerelyName(workspace) ? `the workspace "${workspace}"` : 'a workspace'
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
 * It is made of letters, digits and what stands in names, and has no dot of any script: nothing that a mail program would make a link
 * of, nor a number to call. Signs that stand for others, such as "⒈", are read as those.
 */
function isMerelyName(name: string): boolean {
  const plain = name.normalize('NFKC')
  const digits = plain.match(/\p{N}/gu)?.length ?? 0
  return /^[\p{L}\p{M}\p{Nd} ,'’&()-]*$/u.test(plain) && !/\bwww\b/i.test(plain) && digits <= maxDigits
}

/** As in "Class of 2026, group 12". */
const maxDigits = 6
