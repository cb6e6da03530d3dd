import type { PaymentView } from '../../engine/money/payments/view-payment.ts'
import { html, type Html } from '../../http/docs/html.ts'
import { codeBlock } from '../../http/pages/code-block.ts'
import { page } from '../../http/pages/page.ts'

/** The command that returns another payment link. */
const anotherLink = codeBlock('carrel topup starter', { caption: 'Shell' })

/** Returns the page after a payment, which shows its state and reloads while the money is awaited. */
export function returnPage(payment: PaymentView): string {
  const { title, tone, label, text, again } = words[payment.state]
  return page({
    title,
    body: html`<p class="state ${tone}">${label}</p>
      ${amountOf(payment)}
      <p>${text}</p>
      ${payment.state === 'paid' && whatNow}
      ${
        (payment.state === 'failed' || payment.state === 'expired') &&
        html`<p>To get another link:</p>
          ${anotherLink}`
      }`,
    reloadAfterS: again,
  })
}

/** Returns the page for a user who comes back without paying. */
export function cancelPage(payment: PaymentView): string {
  if (payment.state !== 'open') return returnPage(payment)
  return page({
    title: 'Nothing was paid',
    body: html`<p class="state wait">Cancelled</p>
      ${amountOf(payment)}
      <p>No money was taken, and no credit was added. The payment link still works for a while. To get another one:</p>
      ${anotherLink}`,
  })
}

/** Returns the page that accepts play money. */
export function payPage(payment: PaymentView): string {
  if (payment.state === 'paid') return returnPage(payment)
  return page({
    title: 'Pay with play money',
    body: html`<p class="state wait">No real money</p>
      ${amountOf(payment)}
      <p>
        This server is configured for trying it out: the button simulates a payment, and the credit is added at once. A
        server that accepts payments shows Stripe's page instead.
      </p>
      <div class="actions">
        <form method="post" action="/billing/pay/${payment.id}">
          <button>Pay ${dollars(payment.cents / 100)}</button>
        </form>
        <a href="/billing/cancel?payment=${payment.id}">Cancel</a>
      </div>`,
  })
}

export function noPaymentPage(): string {
  return page({
    title: 'There is no such payment',
    body: html`<p>The link is wrong, or the payment is so old that it was deleted. To get another link:</p>
      ${anotherLink}`,
  })
}

function amountOf({ method, cents, creditMicros }: PaymentView): Html {
  const bonus = creditMicros - cents * 10_000
  const more = bonus > 0 && html` <span class="note">with ${dollars(bonus / 1_000_000)} on top</span>`
  return html`<p class="amount">${dollars(cents / 100)}</p>
    <p>
      for ${dollars(creditMicros / 1_000_000)} of
      credit${more}${method === 'play_money' && html` <span class="note">· play money</span>`}
    </p>`
}

const whatNow = html`<h2>On the command line</h2>
  ${codeBlock('carrel balance', { caption: 'Shell' })}`

interface Words {
  title: string
  /** The color of the label. */
  tone: 'good' | 'wait' | 'bad'
  label: string
  text: string
  /** Seconds until the page reloads. */
  again?: number
}

const words: Record<PaymentView['state'], Words> = {
  paid: {
    title: 'Thank you',
    tone: 'good',
    label: 'Paid',
    text: 'The credit is on your account. You can close this page.',
  },
  processing: {
    title: 'The money is on its way',
    tone: 'wait',
    label: 'Processing',
    text: 'Banks can take up to a few days. The credit is added when the money arrives; you do not need to do anything.',
    again: 30,
  },
  open: {
    title: 'Waiting for the payment',
    tone: 'wait',
    label: 'Waiting',
    text: 'The credit is added as soon as the payment is confirmed. This page reloads by itself.',
    again: 3,
  },
  failed: {
    title: 'The payment failed',
    tone: 'bad',
    label: 'Failed',
    text: 'No money was taken, and no credit was added. Try another payment method.',
  },
  expired: {
    title: 'The link has expired',
    tone: 'bad',
    label: 'Expired',
    text: 'Nobody paid in time. No money was taken, and no credit was added.',
  },
  review: {
    title: 'The payment needs a review',
    tone: 'bad',
    label: 'On hold',
    text: 'The payment arrived, but could not be credited automatically. The server has reported it to the operator; no money is lost.',
  },
  dismissed: {
    title: 'The payment was settled',
    tone: 'wait',
    label: 'Settled',
    text: 'The operator of this server has settled the payment in another way, such as with a refund. No credit was added for it.',
  },
}

function dollars(amount: number): string {
  return amount.toLocaleString('en', { style: 'currency', currency: 'USD' })
}
