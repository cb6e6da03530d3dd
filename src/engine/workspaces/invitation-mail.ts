import { escapeHtml } from '../../escape-html.ts'
import type { Role } from '../accounts/roles.ts'

/** The message that carries an invitation. */
export function invitationMail(parts: { link: string; workspace: string; inviter: string; role: Role }): {
  subject: string
  text: string
  html: string
} {
  const { link, workspace, inviter, role } = parts
  const who = inviter || 'Its owner'
  const text = `${who} invites you into the workspace "${workspace}" as ${role}.`
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
