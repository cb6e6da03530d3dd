import type { Role } from '../../engine/identity/accounts/roles.ts'
import { html } from '../../http/docs/html.ts'
import { page } from '../../http/pages/page.ts'

interface Invitation {
  email: string
  role: Role
  workspaceName: string
  inviter: string
  code: string
}

/** Returns a page that asks the user to accept an invitation. */
export function invitationPage({ email, role, workspaceName, inviter, code }: Invitation): string {
  return page({
    title: `Join ${workspaceName}`,
    body: html`<p>
        ${inviter || 'Its owner'} invites <strong>${email}</strong> to the workspace
        <strong>${workspaceName}</strong> as ${role}.
      </p>
      <form method="post" action="/invitation">
        <input type="hidden" name="token" value="${code}" /><button>Accept the invitation</button>
      </form>`,
  })
}

/** Returns the page after that, which says how to use the workspace. */
export function joinedPage(joined: { workspaceName: string; workspaceId: string }, baseUrl: string): string {
  const { workspaceName, workspaceId } = joined
  return page({
    title: `You are a member of ${workspaceName}`,
    body: html`<p>Sign in by email, unless you already have a token:</p>
      <pre>carrel login --url ${baseUrl}</pre>
      <p>Your token works in your personal workspace. To work in ${workspaceName}, add this to its end:</p>
      <pre>~${workspaceId}</pre>`,
  })
}

export function refusedInvitationPage(reason: string, baseUrl: string): string {
  return page({
    title: 'This invitation does not work',
    body: html`<p>${reason}.</p>
      <p>If you have already accepted it, sign in by email:</p>
      <pre>carrel login --url ${baseUrl}</pre>`,
  })
}
