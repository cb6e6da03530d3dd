import { html, type Html } from '../../http/docs/html.ts'
import { codeBlock } from '../../http/pages/code-block.ts'
import { page } from '../../http/pages/page.ts'

/** The packages, and the ways to pay. */
export interface Offer {
  tiers: { tier: string; amountCents: number; creditsAdded: number; bonusPercent: number; computeHours?: number }[]
  customAmount: { minimumCents: number; maximumCents: number }
  /** The payment methods of the Machine Payments Protocol. */
  paymentMethodsAccepted: string[]
  /** True if users can pay on a page. */
  checkout: boolean
  agentInstruction: string
}

/** Returns the page to which an account without credit refers its user. */
export function topUpPage(offer: Offer, baseUrl: string): string {
  const { tiers, customAmount, paymentMethodsAccepted: methods, checkout } = offer
  return page({
    title: 'Top up',
    body: html`<p class="lead">
        Credit pays for what runs: a computer while it works, a browser, a model. What you buy does not expire.
      </p>
      <div class="wide">
        <table>
          <thead>
            <tr>
              <th>Package</th>
              <th>You pay</th>
              <th>You get</th>
              <th>Compute</th>
            </tr>
          </thead>
          <tbody>
            ${tiers.map(
              ({ tier, amountCents, creditsAdded, bonusPercent, computeHours }) =>
                html`<tr>
                  <td><code>${tier}</code></td>
                  <td>${dollars(amountCents / 100)}</td>
                  <td>
                    ${dollars(creditsAdded)} ${bonusPercent > 0 && html`<span class="note">+${bonusPercent} %</span>`}
                  </td>
                  <td>${computeHours === undefined ? 'free' : `${computeHours.toLocaleString('en')} h`}</td>
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
      <p class="note">
        Or any amount from ${dollars(customAmount.minimumCents / 100)} to ${dollars(customAmount.maximumCents / 100)}.
      </p>
      ${checkout && byCheckout(baseUrl)} ${methods.length > 0 && byMachine(methods, baseUrl)}
      ${!checkout && methods.length === 0 && noWay}
      <h2>What is left</h2>
      ${codeBlock(`carrel balance --url ${baseUrl}`, { caption: 'Shell' })}`,
  })
}

function byCheckout(baseUrl: string): Html {
  return html`<h2>For people</h2>
    <p>The command line prints a link to a page where you pay:</p>
    ${codeBlock(`carrel topup starter --url ${baseUrl}`, { caption: 'Shell' })}`
}

function byMachine(methods: string[], baseUrl: string): Html {
  const names = methods.map((method) => (method === 'tempo' ? 'in dollars on Tempo' : 'by Stripe'))
  return html`<h2>For agents</h2>
    <p>
      With the Machine Payments Protocol, ${names.join(' or ')}. Any client of the protocol pays by itself; send the
      token of the account beside the payment:
    </p>
    ${codeBlock(
      `npx mppx@0.11.0 ${baseUrl}/topup \\
  -H "X-Session-Token: $CARREL_TOKEN" \\
  -J '{"tier":"starter"}'`,
      { caption: 'Shell' },
    )}`
}

const noWay = html`<p class="state wait">No way to pay yet</p>
  <p>
    The operator of this server does not accept payments, or has not configured them. Ask the person who gave you its
    address.
  </p>`

function dollars(amount: number): string {
  return amount.toLocaleString('en', { style: 'currency', currency: 'USD', trailingZeroDisplay: 'stripIfInteger' })
}
