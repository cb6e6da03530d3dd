/** Returns the message with a sign-in link. */
export function signInMail(link: string): { subject: string; text: string; html: string } {
  return {
    subject: 'Sign in to Carrel',
    text: `Open this link to sign in and get your token:

${link}

It works once, within 15 minutes. If you did not ask for it, ignore this message: nothing happens.
`,
    html: `<p>Open this link to sign in and get your token:</p>
<p><a href="${link}">Sign in to Carrel</a></p>
<p>It works once, within 15 minutes. If you did not ask for it, ignore this message: nothing happens.</p>
`,
  }
}
