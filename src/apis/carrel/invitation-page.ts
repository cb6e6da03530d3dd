import type { Role } from '../../engine/identity/accounts/roles.ts'
import { html } from '../../http/docs/html.ts'
import { codeBlock } from '../../http/pages/code-block.ts'
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
    body: html`<p class="lead">
        ${inviter || 'Its owner'} invites <strong>${email}</strong> to the workspace
        <strong>${workspaceName}</strong> as ${role}.
      </p>
      <p>Its members share computers, keys and credit. Your own workspace stays yours.</p>
      <div class="actions">
        <form method="post" action="/invitation">
          <input type="hidden" name="token" value="${code}" /><button>Accept the invitation</button>
        </form>
      </div>`,
  })
}

/** Returns the page after that, which says how to use the workspace. */
export function joinedPage(joined: { workspaceName: string; workspaceId: string }, baseUrl: string): string {
  const { workspaceName, workspaceId } = joined
  return page({
    title: `You are a member of ${workspaceName}`,
    body: html`<p class="lead">Sign in by mail, unless you have a token already:</p>
      ${codeBlock(`carrel login --url ${baseUrl}`, { caption: 'Shell' })}
      <p>Your token works in your personal workspace. To work in ${workspaceName}, add this to its end:</p>
      ${codeBlock(`~${workspaceId}`, { caption: 'The end of the token' })}
      <div class="actions"><a class="button" href="/sign-in">Sign in by mail</a></div>`,
  })
}

export function refusedInvitationPage(reason: string): string {
  return page({
    title: 'This invitation does not work',
    body: html`<p class="lead">${reason}.</p>
      <p>If you have already accepted it, sign in. Otherwise ask for another invitation.</p>
      <div class="actions"><a class="button" href="/sign-in">Sign in by mail</a></div>`,
  })
}
