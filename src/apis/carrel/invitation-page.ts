import type { Role } from '../../engine/identity/accounts/roles.ts'
import { html } from '../../http/docs/html.ts'
import { userPage } from '../../http/user-page.ts'

interface Invitation {
  email: string
  role: Role
  workspaceName: string
  inviter: string
  code: string
}

/** Asks whoever opened the link whether to accept. */
export function invitationPage({ email, role, workspaceName, inviter, code }: Invitation): string {
  return userPage({
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

/** What they see then: how to work there. */
export function joinedPage(joined: { workspaceName: string; workspaceId: string }, baseUrl: string): string {
  const { workspaceName, workspaceId } = joined
  return userPage({
    title: `You are a member of ${workspaceName}`,
    body: html`<p>Sign in by mail, unless you have a token already:</p>
      <pre>carrel login --url ${baseUrl}</pre>
      <p>A token works in your own workspace. With this at its end it works in ${workspaceName}:</p>
      <pre>~${workspaceId}</pre>`,
  })
}

export function refusedInvitationPage(reason: string, baseUrl: string): string {
  return userPage({
    title: 'This invitation does not work',
    body: html`<p>${reason}.</p>
      <p>If you have accepted it already, sign in by mail:</p>
      <pre>carrel login --url ${baseUrl}</pre>`,
  })
}
