import { html } from '../docs/html.ts'
import { page } from './page.ts'
import { signInSection, type SignInFacts } from './sign-in-section.ts'

/** Returns the page at `/` for people: what this server is, how to sign in, and where to read on. */
export function homePage(facts: SignInFacts): string {
  return page({
    title: 'Home',
    heading: 'A computer of its own for every agent',
    body: html`<p class="lead">
        This is a Carrel server. It gives agents and people isolated Linux computers, over HTTP and from the command
        line.
      </p>
      ${signInSection(facts)}
      <h2>Read on</h2>
      <ul class="places">
        ${places.map(([path, name, text]) => html`<li><a href="${path}">${name}</a><span>${text}</span></li>`)}
      </ul>`,
    // The page itself has these links.
    footer: html``,
  })
}

const places = [
  ['/docs', 'Documentation', 'Every route, with examples, and a console to try them'],
  ['/SKILL.md', 'SKILL.md', 'Instructions for agents: give them this address'],
  ['/openapi.json', 'OpenAPI', 'The same for programs and generators'],
  ['/status', 'Status', 'How each service works, and how it has worked for 90 days'],
  ['/health', 'Health', 'Whether the server and its helpers work'],
] as const
