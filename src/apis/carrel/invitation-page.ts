import type { Role } from '../../engine/accounts/roles.ts'
import { html } from '../../http/docs/html.ts'
import { personPage } from '../../http/person-page.ts'
import { tokenHelp } from '../../http/sign-in-page.ts'

interface Invitation {
  email: string
  role: Role
  workspaceName: string
  inviter: string
  code: string
}

/** Asks whoever opened the link whether to accept. */
export function invitationPage({ email, role, workspaceName, inviter, code }: Invitation): string {
  return personPage({
    title: `Join ${workspaceName}`,
    body: html`<p>
        ${inviter || 'Its owner'} invites <strong>${email}</strong> into the workspace
        <strong>${workspaceName}</strong> as ${role}.
      </p>
      <form method="post" action="/invitation">
        <input type="hidden" name="token" value="${code}" /><button>Accept the invitation</button>
      </form>`,
  })
}

/** What they see then: a token that works in the workspace, this once. */
export function joinedPage(
  joined: { workspaceName: string; token: string; expiresAtMs: number; workspaceId: string },
  baseUrl: string,
): string {
  const { workspaceName, token, expiresAtMs, workspaceId } = joined
  return personPage({
    title: `You are a member of ${workspaceName}`,
    body: html`${tokenHelp(token, baseUrl, expiresAtMs)}
      <h2>Your own workspace</h2>
      <p>
        The token works in ${workspaceName}. Without <code>~${workspaceId}</code> at its end it works in your own.
      </p>`,
  })
}

export function refusedInvitationPage(reason: string, baseUrl: string): string {
  return personPage({
    title: 'This invitation does not work',
    body: html`<p>${reason}.</p>
      <p>If you have accepted it already, sign in by mail:</p>
      <pre>carrel login --url ${baseUrl}</pre>`,
  })
}
