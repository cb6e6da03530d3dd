import type { Carrel, Computer } from '../../../sdk/index.ts'
import { printable } from '../printable.ts'
import type { ActionCall } from './action.ts'
import { openBrowser } from './browser.ts'
import { chosenOne } from './choose.ts'
import { settled } from './wait.ts'

/** Opens the page of a computer, or its desktop, in the browser of this machine; without a display it prints the link. */
export async function open(call: ActionCall, client: Carrel): Promise<void> {
  const { program, values } = call
  const computer = await ready(call, client)
  const kind = values['vnc'] ? 'vnc' : 'browser'
  const session = await client.computers.accessSessions.create(computer.id, { kind })
  if (values.json) return program.stdout.line(JSON.stringify({ computer, session }))
  const link = webAddress(session.access_url)
  if (!values['print'] && (await openBrowser(program.env, link)))
    return program.stderr.line(`${computer.handle} is opened in the browser`)
  await program.stdout.line(printable(link))
}

/** Returns the chosen computer when it runs. */
export async function ready(call: ActionCall, client: Carrel): Promise<Computer> {
  const begun = await client.computers.ensureReady(await chosenOne(call, client))
  return settled({ ...call, values: { ...call.values, 'no-wait': false } }, client, begun)
}

/** Returns an address that a browser may be given. Throws for anything that would start another program. */
function webAddress(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url.href
  throw new Error(`Cannot open "${printable(text)}": it is no address of a web page`)
}
