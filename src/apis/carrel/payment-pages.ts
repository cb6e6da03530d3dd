import type { PaymentView } from '../../engine/money/payments/view-payment.ts'
import { html, type Html } from '../../http/docs/html.ts'
import { userPage } from '../../http/user-page.ts'

/** What somebody sees who comes back from paying: how far it is. It asks again by itself while the money is awaited. */
export function returnPage(payment: PaymentView): string {
  const { title, tone, label, text, again } = words[payment.state]
  return userPage({
    title,
    body: html`<p class="state ${tone}">${label}</p>
      ${amountOf(payment)}
      <p>${text}</p>
      ${payment.state === 'paid' && whatNow}`,
    reloadAfterS: again,
  })
}

/** What somebody sees who went back without paying. */
export function cancelPage(payment: PaymentView): string {
  if (payment.state !== 'open') return returnPage(payment)
  return userPage({
    title: 'Nothing was paid',
    body: html`<p class="state wait">Cancelled</p>
      ${amountOf(payment)}
      <p>No money was taken, and no credit was added. The link that you came by works for a while; for another one:</p>
      <pre>carrel topup starter</pre>`,
  })
}

/** Where play money is paid. */
export function payPage(payment: PaymentView): string {
  if (payment.state === 'paid') return returnPage(payment)
  return userPage({
    title: 'Pay with play money',
    body: html`<p class="state wait">No money moves</p>
      ${amountOf(payment)}
      <p>
        This server is set up to be tried out: the button stands for paying, and the credit is added at once. A server
        that takes money leads to Stripe's page here instead.
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
  return userPage({
    title: 'There is no such payment',
    body: html`<p>The link is wrong, or so old that the payment is forgotten. For another one:</p>
      <pre>carrel topup starter</pre>`,
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
  <pre>carrel balance</pre>`

interface Words {
  title: string
  /** Of the label. */
  tone: 'good' | 'wait' | 'bad'
  label: string
  text: string
  /** Seconds. */
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
    text: 'Your bank takes its time, up to some days. The credit is added when the money has come; nothing is left for you to do.',
    again: 30,
  },
  open: {
    title: 'Waiting for the payment',
    tone: 'wait',
    label: 'Waiting',
    text: 'As soon as it is confirmed the credit is added. This page looks again by itself.',
    again: 3,
  },
  failed: {
    title: 'The payment failed',
    tone: 'bad',
    label: 'Failed',
    text: 'No money was taken, and no credit was added. Try another way of paying.',
  },
  expired: {
    title: 'The link has expired',
    tone: 'bad',
    label: 'Expired',
    text: 'Nobody paid in time. No money was taken, and no credit was added.',
  },
  review: {
    title: 'Somebody has to look at it',
    tone: 'bad',
    label: 'On hold',
    text: 'Money came in that could not be credited by itself. The operator of this server is told so; nothing is lost.',
  },
  dismissed: {
    title: 'The payment was settled',
    tone: 'wait',
    label: 'Settled',
    text: 'The operator of this server has settled it in another way, such as by a refund. No credit was added for it.',
  },
}

function dollars(amount: number): string {
  return amount.toLocaleString('en', { style: 'currency', currency: 'USD' })
}
