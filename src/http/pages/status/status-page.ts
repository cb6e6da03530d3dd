import type { Period, ServiceUptime, UptimeSummary } from '../../../engine/uptime/uptime-summary.ts'
import { html, type Html } from '../../docs/html.ts'
import { statusStyle } from '../design.ts'
import { page } from '../page.ts'
import { countsText, dayText, hourText, overallState, percentText, periodText, stateWords } from './status-words.ts'

/** Returns the page that shows how the services work and have worked. It is the same for everybody. */
export function statusPage({ checkedAtMs, services }: UptimeSummary): string {
  const { sentence, status } = overallState(services)
  const checked = new Date(checkedAtMs).toISOString()
  return page({
    title: 'Status',
    heading: sentence,
    style: statusStyle,
    reloadAfterS: 60,
    body: html`<p class="state ${stateWords[status].tone}">
        ${status === 'unknown' ? 'Not checked yet' : html`Checked at <time datetime="${checked}">${hourText(checkedAtMs)} UTC, ${dayText(checkedAtMs)}</time>`}
      </p>
      <section class="panel services" aria-label="Services">${services.map(serviceRow)}</section>
      <section class="panel last-hours" aria-labelledby="hours">
        <h2 id="hours">The last 24 hours</h2>
        ${services.map(hoursRow)} ${hourScale(services)}
      </section>
      ${problems(services)} ${legend}`,
  })
}

function serviceRow({ name, status, responseMs, percent, days }: ServiceUptime): Html {
  const { label, tone } = stateWords[status]
  const summary = `${name} in the last ${days.length} days: ${countsText(days)}`
  return html`<article class="service">
    <h2>${name}</h2>
    <p class="now">
      <span class="time">${status !== 'unknown' && `${responseMs} ms`}</span> <b class="${tone}">${label}</b>
    </p>
    <div class="bars days" role="img" aria-label="${summary}">
      ${days.map((period) => bar(period, dayText(period.startsAt)))}
    </div>
    <p class="scale">
      <span>${dayText(days[0]!.startsAt)}</span><span>${percentText(percent)}${percent !== undefined && ' uptime'}</span
      ><span>Today</span>
    </p>
  </article>`
}

function hoursRow({ name, hours }: ServiceUptime): Html {
  return html`<div class="hours">
    <span aria-hidden="true">${name}</span>
    <div class="bars" role="img" aria-label="${name} in the last ${hours.length} hours: ${countsText(hours)}">
      ${hours.map((period) => bar(period, `${name}, ${hourText(period.startsAt)}`))}
    </div>
  </div>`
}

/** The text of a bar appears below the bars while a pointer is on it; programs that read aloud get the counts. */
function bar({ status, counts }: Period, when: string): Html {
  return html`<i class="${stateWords[status].tone}" data-text="${when}: ${periodText({ status, counts })}"></i>`
}

/** Marks every sixth hour of the day below the rows. */
function hourScale([service]: readonly ServiceUptime[]): Html {
  const marks = (service?.hours ?? []).map(({ startsAt }) => {
    const text = hourText(startsAt)
    return html`<span>${Number(text.slice(0, 2)) % 6 === 0 && text}</span>`
  })
  return html`<div class="hours marks" aria-hidden="true">
    <span>UTC</span>
    <div class="scale">${marks}</div>
  </div>`
}

/** Lists the days on which something did not work, the latest first: what the bars show, in words. */
function problems(services: readonly ServiceUptime[]): Html {
  const days = (services[0]?.days ?? []).map(({ startsAt }, index) => ({
    startsAt,
    found: services
      .map(({ name, days: own }) => ({ name, day: own[index]! }))
      .filter(({ day }) => day.status === 'degraded' || day.status === 'down'),
  }))
  const bad = days.filter(({ found }) => found.length > 0).toReversed()
  const [latest, earlier] = [bad.slice(0, latestDays), bad.slice(latestDays)]
  const hasData = services.some(({ percent }) => percent !== undefined)
  if (bad.length === 0)
    return html`${hasData && html`<p class="note">No service was down or degraded on any of these days.</p>`}`
  return html`<section aria-labelledby="problems">
    <h2 id="problems">Days with problems</h2>
    <dl class="problems">${latest.map(problemDay)}</dl>
    ${
      earlier.length > 0 &&
      html`<details>
        <summary>${earlier.length} earlier ${earlier.length === 1 ? 'day' : 'days'}</summary>
        <dl class="problems">${earlier.map(problemDay)}</dl>
      </details>`
    }
  </section>`
}

function problemDay({ startsAt, found }: { startsAt: number; found: { name: string; day: Period }[] }): Html {
  const date = new Date(startsAt).toISOString().slice(0, 10)
  return html`<div>
    <dt><time datetime="${date}">${dayText(startsAt)}</time></dt>
    ${found.map(({ name, day }) => html`<dd><b class="${stateWords[day.status].tone}">${name}</b> ${periodText(day)}</dd>`)}
  </div>`
}

const legend = html`<p class="legend">
    ${Object.values(stateWords).map(({ label, tone }) => html`<span><i class="${tone}"></i>${label}</span>`)}
  </p>
  <p class="note">
    The server checks each service once a minute. Days are those of UTC. Programs get the same from the
    <a href="/docs/agent-computer">Agent Computer API</a>.
  </p>`

/** Further ones are folded away. */
const latestDays = 5
