import type { Carrel, Share } from '../../../sdk/index.ts'
import { parseDuration } from '../duration.ts'
import { printable } from '../printable.ts'
import { table } from '../table.ts'
import { shortTime } from '../times.ts'
import type { ActionCall } from './action.ts'
import { chosenOne, listWidth, pick } from './choose.ts'
import { confirm } from './confirm.ts'

export async function listShares(call: ActionCall, client: Carrel): Promise<void> {
  const { program, values } = call
  const shares = await client.computers.shares.list(await chosenOne(call, client))
  if (values.json) return program.stdout.line(JSON.stringify({ shares }))
  if (shares.length > 0) return program.stdout.write(shareTable(shares, values['long'] === true, program.stdout.width))
  await program.stderr.line(`Nothing is shared: "${program.name} computers shares create" makes a link.`)
}

/** Makes a link and prints it alone, for scripts; at a terminal also what it opens. */
export async function createShare(call: ActionCall, client: Carrel): Promise<void> {
  const { program, values } = call
  const lifeS = parseDuration(values['expires'] as string | undefined, 'the lifetime of a link')
  const share = await client.computers.shares.create(await chosenOne(call, client), {
    ...rightsOf(values['browser'] === true, values['vnc'] === true),
    expiresAt: lifeS === undefined ? undefined : new Date(Date.now() + lifeS * 1000),
  })
  if (values.json) return program.stdout.line(JSON.stringify({ share }))
  await program.stdout.line(printable(share.share_url ?? share.id))
  if (program.stdout.isTerminal)
    await program.stderr.line(`Everybody who has it can open the ${opens(share)}; it ${ends(share)}.`)
}

/** Returns what the options ask for; nothing where they leave that to the server. */
function rightsOf(browser: boolean, vnc: boolean) {
  return browser || vnc ? { allowBrowser: browser, allowVnc: vnc } : {}
}

export async function removeShares(call: ActionCall, client: Carrel): Promise<void> {
  const { program, values, operands } = call
  const { id, handle } = await client.computers.get(await chosenOne(call, client))
  const given = operands.slice(1)
  const ids = given.length > 0 ? [...new Set(given)] : [(await pickShare(call, client, id)).id]
  await confirm(call, `Delete ${ids.length === 1 ? `share ${ids[0]}` : `${ids.length} shares`} of ${handle}?`)
  for (const shareId of ids) {
    await client.computers.shares.delete(id, shareId)
    if (!values.json) await program.stdout.line(`${shareId} is deleted`)
  }
  if (values.json) await program.stdout.line(JSON.stringify({ deleted: ids }))
}

function pickShare(call: ActionCall, client: Carrel, computerId: string): Promise<Share> {
  return pick(call, {
    what: 'share',
    load: () => client.computers.shares.list(computerId),
    table: (shares) => shareTable(shares, false, listWidth(call)),
    nameKind: 'an id',
    names: ({ id }) => [id],
    none: 'Nothing is shared',
  })
}

function shareTable(shares: readonly Share[], isLong: boolean, width?: number): string {
  const columns = [
    { title: 'ID' },
    { title: 'OPENS' },
    { title: 'EXPIRES' },
    { title: 'USES', align: 'right' as const, dropOrder: 3 },
    { title: 'LAST USED', dropOrder: 2 },
    { title: 'CREATED', dropOrder: 1 },
    ...(isLong ? [{ title: 'LINK' }] : []),
  ]
  const rows = shares.map((share) => [
    share.id,
    opens(share),
    timeOr(share.expires_at, 'never'),
    String(share.uses),
    timeOr(share.last_used_at, 'never'),
    shortTime(share.created_at),
    ...(isLong ? [share.share_url ?? '-'] : []),
  ])
  return table(columns, rows, isLong ? undefined : width)
}

function opens({ allow_browser: browser, allow_vnc: vnc }: Share): string {
  if (browser) return vnc ? 'page and desktop' : 'page'
  return vnc ? 'desktop (view only)' : 'nothing'
}

function ends({ expires_at: end }: Share): string {
  return end === null ? 'does not expire' : `expires at ${shortTime(end)}`
}

function timeOr(time: string | null, otherwise: string): string {
  return time === null ? otherwise : shortTime(time)
}
