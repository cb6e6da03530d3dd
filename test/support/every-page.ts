import { invitationPage, joinedPage, refusedInvitationPage } from '../../src/apis/carrel/invitation-page.ts'
import { cancelPage, noPaymentPage, payPage, returnPage } from '../../src/apis/carrel/payment-pages.ts'
import { noSharePage, refusedSharePage, sharePage } from '../../src/apis/agent-computer/share-page.ts'
import { refusedPage, signInPage, tokenPage } from '../../src/apis/paperpod/sign-in-page.ts'
import { topUpPage } from '../../src/apis/paperpod/topup-page.ts'
import type { UptimeStatus } from '../../src/engine/uptime/check-counts.ts'
import type { PaymentView } from '../../src/engine/money/payments/view-payment.ts'
import { CarrelError, errorTable, type ErrorCode } from '../../src/errors.ts'
import { errorPage } from '../../src/http/pages/error-page.ts'
import { homePage } from '../../src/http/pages/home-page.ts'
import { callbackOf } from '../../src/http/pages/cli-sign-in/callback.ts'
import { approvalHeaders, approvalPage, cliRefusedPage, cliSignInPage } from '../../src/http/pages/cli-sign-in/pages.ts'
import { formPageHeaders, pageHeaders } from '../../src/http/pages/page.ts'
import { statusPageHeaders } from '../../src/http/pages/status/routes.ts'
import { statusPage } from '../../src/http/pages/status/status-page.ts'
import { summaryOf } from '../../src/engine/uptime/uptime-summary.ts'
import { dayMs, hourMs } from '../../src/engine/uptime/uptime-hours.ts'
import { askForLinkPage, linkSentPage } from '../../src/http/pages/sign-in-pages.ts'
import { previewPage, previewPageHeaders } from '../../src/http/previews/preview-page.ts'

/** A text that breaks out of whatever does not escape it, and is as long as one word can be. */
export const hostile = `"><script>alert(1)</script><b a='&${'x'.repeat(200)}`

const origin = 'https://carrel.example.com'
const facts = { origin, sendsMail: true, signUp: true }
const callback = callbackOf({ callback_url: 'http://127.0.0.1:43521/callback', state: hostile })
const workspaces = [
  { id: 'own', name: 'Ada' },
  { id: 'shared', name: hostile },
]
const question = { name: hostile, selectedId: 'own', keyName: hostile, approvalId: 'x', callback }
const payment = (state: PaymentView['state'], method = 'stripe') => ({
  id: hostile,
  state,
  cents: 1000,
  creditMicros: 11_000_000,
  method,
})
const shared = {
  name: hostile,
  workspaceName: hostile,
  state: 'running',
  opens: { browser: false, vnc: true },
  expiresAtMs: Date.UTC(2030, 4, 20, 9, 30),
}
const offer = {
  tiers: [{ tier: 'starter', amountCents: 500, creditsAdded: 5, bonusPercent: 10, computeHours: 12_345 }],
  customAmount: { minimumCents: 100, maximumCents: 1_000_000 },
  paymentMethodsAccepted: ['tempo', 'stripe'],
  checkout: true,
  agentInstruction: '',
}
const preview = (code: ErrorCode, details: Record<string, unknown> = {}, keepsFiles = false) => {
  const error = new CarrelError(code, hostile, { details })
  return previewPage({ error, port: 65_535, home: origin, isRepeatable: true, keepsFiles })
}

/** A status page on which each service has had days and hours of every state. */
function statusPageOf(statuses: readonly UptimeStatus[]): string {
  const nowMs = Date.UTC(2026, 4, 20, 9, 30)
  const found = (everyMs: number, count: number) =>
    statuses.flatMap((_, index) =>
      Array.from({ length: count }, (_, age) => ({
        slug: `${index}`,
        startsAt: Math.floor(nowMs / everyMs) * everyMs - (age + 1) * everyMs,
        ...{ operational: 9, degraded: age % 3, down: age % 2 },
      })),
    )
  return statusPage(
    summaryOf(
      nowMs,
      statuses.map((status, index) => ({ slug: `${index}`, name: `${hostile} ${index}`, status, responseMs: 10_000 })),
      { days: found(dayMs, 60), hours: found(hourMs, 12) },
    ),
  )
}

function ofCodes(kind: string, page: (code: ErrorCode) => string): Record<string, string> {
  return Object.fromEntries(
    (Object.keys(errorTable) as ErrorCode[]).map((code) => [`${kind} of an error ${code}`, page(code)]),
  )
}

/** Pages by name, with the headers that they are sent with and hostile values wherever one can be. */
export const everyPage: { headers: Record<string, string>; pages: Record<string, string> }[] = [
  {
    headers: formPageHeaders,
    pages: {
      home: homePage(facts),
      'home without mail': homePage({ ...facts, sendsMail: false }),
      'sign-in form': askForLinkPage(facts),
      'wrong address': askForLinkPage(facts, { email: hostile, problem: hostile }),
      'link asked for': linkSentPage(hostile, facts),
      'link in the outbox': linkSentPage(hostile, { sendsMail: false }),
      'sign-in of a program': cliSignInPage({ sendsMail: true, github: true }, callback),
      'sign-in of a program without mail': cliSignInPage({ sendsMail: false, github: false }, callback, {
        problem: hostile,
      }),
      'sign-in of a program after the mail': cliSignInPage({ sendsMail: true, github: true }, callback, {
        email: hostile,
      }),
      'dead sign-in of a program': cliRefusedPage(hostile),
    },
  },
  {
    headers: approvalHeaders(callback),
    pages: {
      'key for a program': approvalPage({ ...question, workspaces: workspaces.slice(1) }),
      'key of one of several workspaces': approvalPage({ ...question, workspaces }),
    },
  },
  {
    headers: pageHeaders,
    pages: {
      'sign-in': signInPage(hostile, hostile),
      token: tokenPage('pp_sess_x', origin, Date.now()),
      'dead link': refusedPage(hostile),
      invitation: invitationPage({
        email: hostile,
        role: 'member',
        workspaceName: hostile,
        inviter: hostile,
        code: hostile,
      }),
      joined: joinedPage({ workspaceName: hostile, workspaceId: hostile }, origin),
      'dead invitation': refusedInvitationPage(hostile),
      share: sharePage({ ...shared, opens: { browser: true, vnc: true } }),
      'share of a desktop': sharePage({ ...shared, expiresAtMs: null }),
      'share of a computer that does not run': sharePage({ ...shared, state: 'stopped' }),
      'refused share': refusedSharePage('limit_reached'),
      'dead share': noSharePage(),
      'top up': topUpPage(offer, origin),
      pay: payPage(payment('open', 'play_money')),
      cancelled: cancelPage(payment('open')),
      'no payment': noPaymentPage(),
      ...Object.fromEntries(
        (['paid', 'processing', 'open', 'failed', 'expired', 'review', 'dismissed'] as const).map((state) => [
          `payment that is ${state}`,
          returnPage(payment(state)),
        ]),
      ),
      ...ofCodes('page', (code) => errorPage(new CarrelError(code, hostile), hostile)),
    },
  },
  {
    headers: statusPageHeaders,
    pages: {
      'status of services that work': statusPageOf(['operational', 'operational']),
      'status of services in every state': statusPageOf(['operational', 'degraded', 'down', 'unknown']),
      'status before the first check': statusPage(
        summaryOf(0, [{ slug: 'x', name: 'API', status: 'unknown', responseMs: 0 }], { days: [], hours: [] }),
      ),
    },
  },
  {
    headers: previewPageHeaders,
    pages: {
      ...ofCodes('preview', preview),
      'preview of a computer that was idle': preview('computer_stopped', { state: 'stopped', idleMs: 600_000 }),
      'preview of a computer that keeps its files': preview('computer_stopped', { state: 'stopped' }, true),
      'preview of a computer that failed': preview('computer_stopped', { state: 'failed' }),
      'preview of a computer that starts': preview('computer_stopped', { state: 'starting' }),
      'preview without a server': preview('upstream_unreachable', { reason: 'nothing_listens' }),
      'preview of a busy server': preview('upstream_unreachable', { reason: 'not_accepting' }),
    },
  },
]
