import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { AgentComputers } from '../support/agent-computer.ts'
import { BrowserPage, noBrowser } from '../support/browser.ts'
import { PageVisitor } from '../support/computer-page.ts'
import { TestServer } from '../support/server.ts'
import { settles } from '../support/settles.ts'

/** Expressions of the page. */
const terminal = `document.querySelector('.terminal-pane:not([hidden])')`
const printed = (text: string) =>
  `${terminal}?.querySelector('.xterm-rows')?.textContent.replaceAll('\\u00a0', ' ').includes(${JSON.stringify(text)})`
const prompt = `/[$#] *$/.test(${terminal}?.querySelector('.xterm-rows')?.textContent.replaceAll('\\u00a0', ' ').trimEnd() ?? '')`
const tabs = `[...document.querySelectorAll('.tab [role=tab]')]`
const button = (name: string) =>
  `[...document.querySelectorAll('button')].find((each) => !each.disabled && each.getClientRects().length > 0 &&
    (each.textContent === ${JSON.stringify(name)} || each.ariaLabel === ${JSON.stringify(name)}))`
const row = (path: string) => `document.querySelector('[data-path=${JSON.stringify(path)}]')`

describe('the page of a computer in a browser', { timeout: 300_000, skip: noBrowser }, () => {
  let server: TestServer
  let computers: AgentComputers
  let browser: BrowserPage
  let id: string
  let session: { id: string; access_url: string }
  const handle = `page-${Date.now().toString(36)}`

  before(async () => {
    server = await TestServer.start({ env: { CARREL_MEMORY_OVERCOMMIT: '100', CARREL_DISK_OVERCOMMIT: '100' } })
    computers = new AgentComputers(server)
    ;({ id } = await computers.create({ handle }))
    session = (await computers.call('POST', `/computers/${id}/access-sessions`, { kind: 'browser' })).body.session
    browser = await BrowserPage.open()
    await browser.goTo(session.access_url)
  })
  after(async () => {
    await browser?.[Symbol.asyncDispose]()
    if (id) await computers.ended('DELETE', `/computers/${id}`)
    await server?.stop()
  })

  const until = (expression: string) => settles(browser.until(expression), expression)
  const click = async (expression: string) => {
    await until(expression)
    await browser.evaluate(`(${expression}).click()`)
  }
  const view = (name: string) => browser.evaluate(`location.hash = ${JSON.stringify(name)}`)
  const run = async (command: string) => {
    await until(prompt)
    await browser.type(command)
    await browser.press('Enter')
  }
  const read = async (path: string) => {
    const body = { operation: 'read_text', path: `/home/node/workspace/${path}` }
    return (await computers.call('POST', `/computers/${id}/files/ops`, body)).body.content
  }

  test('keeps the token of its link out of the address', async () => {
    assert.equal(await browser.evaluate('location.search'), '')
  })

  test('has terminals that survive a reload, each with its output', async () => {
    await run('echo one-$((40 + 2))')
    await until(printed('one-42'))
    await click(button('New terminal'))
    await until(`${tabs}.length === 2`)
    // Under the mouse a tab stays readable: it gets no background, which would have the colour of other buttons.
    await browser.pointAt(`${tabs}[1]`)
    await until(`${tabs}[1].matches(':hover')`)
    const shown = `(({ color, backgroundColor }) => [color, backgroundColor])(getComputedStyle(${tabs}[1]))`
    const ink = await browser.evaluate('getComputedStyle(document.body).color')
    assert.deepEqual(await browser.evaluate(shown), [ink, 'rgba(0, 0, 0, 0)'])
    await run('echo two-$((1 + 1))')
    await until(printed('two-2'))
    await browser.goTo(new URL('/', session.access_url).href)
    await until(`${tabs}.length === 2 && ${tabs}[1].ariaSelected === 'true'`)
    await until(printed('two-2'))
    await click(`${tabs}[0]`)
    await until(printed('one-42'))
    await run('echo three-$((1 + 2))')
    await until(printed('three-3'))
  })

  test('tells terminals of one title apart, and shows the tab of the active one however many there are', async () => {
    // Longer than the first title of a terminal, so that the tabs grow once they are shown.
    const title = 'the same long title'
    await computers.shell(id, String.raw`echo "printf '\033]0;${title}\007'" > ~/.bash_profile`)
    const { visitor } = await PageVisitor.enter(server, computers, id)
    const opened: string[] = []
    for (let count = 1; count <= 10; count++)
      opened.push((await visitor.send('POST', '/api/terminals', { body: { cols: 80, rows: 24 } })).body.terminal.id)
    await browser.evaluate(`sessionStorage.setItem('carrel.terminal', ${JSON.stringify(opened.at(-1))})`)
    const size = { width: 700, height: 900 }
    await browser.goTo(new URL('/', session.access_url).href, size)
    const titles = [title, ...Array.from({ length: 9 }, (_, index) => `${title} ${index + 2}`)]
    await until(`${tabs}.slice(2).map(({ title }) => title).join() === ${JSON.stringify(titles.join())}`)
    await until(`(({ left, right }, strip) => left >= strip.left - 1 && right <= strip.right + 1)(
      document.querySelector('.tab.active').getBoundingClientRect(),
      document.querySelector('.tab-list').getBoundingClientRect())`)
    assert.equal(await browser.evaluate(`document.querySelector('.tab.active [role=tab]').title`), `${title} 10`)
    await computers.shell(id, 'rm ~/.bash_profile')
    for (const each of opened) await visitor.send('DELETE', `/api/terminals/${each}`)
    await browser.goTo(new URL('/', session.access_url).href)
    await until(`${tabs}.length === 2`)
    await click(`${tabs}[0]`)
  })

  test('does not answer again what programs asked before a reload', async () => {
    // A program that asks where the cursor is gets one answer, which the shell never sees.
    await run(`printf '\\033[6n'; read -rsd R place; echo "asked-\${#place}"`)
    await until(`/asked-[1-9]/.test(${terminal}.textContent)`)
    await browser.goTo(new URL('/', session.access_url).href)
    await click(`${tabs}[0]`)
    await until(printed('three-3'))
    await run('echo five-$((2 + 3))')
    await until(printed('five-5'))
    assert.doesNotMatch(await browser.evaluate(`${terminal}.textContent`), /;\d+R/)
  })

  test('takes files that are dropped, and edits and saves them', async () => {
    await view('files')
    await until(`document.querySelector('.tree')`)
    await browser.evaluate(`{
      const dataTransfer = new DataTransfer()
      dataTransfer.items.add(new File(['first\\r\\nsecond\\r\\n'], 'notes.txt'))
      document.querySelector('.files').dispatchEvent(new DragEvent('drop', { bubbles: true, dataTransfer }))
    }`)
    await click(row('notes.txt'))
    assert.equal(await read('notes.txt'), 'first\r\nsecond\r\n')
    await until(`document.querySelector('.cm-content')?.textContent.includes('second')`)
    await browser.evaluate(`document.querySelector('.cm-content').focus()`)
    await browser.type('the ')
    await until(`document.querySelector('.tree .dirty')`)
    await click(button('Save'))
    await until(`!document.querySelector('.tree .dirty')`)
    assert.equal(await read('notes.txt'), 'the first\r\nsecond\r\n')
  })

  test('asks before it overwrites a file that has changed on the computer', async () => {
    await computers.shell(id, 'echo other > /home/node/workspace/notes.txt')
    await browser.evaluate(`document.querySelector('.cm-content').focus()`)
    await browser.type('at ')
    await click(button('Save'))
    await click(button('Overwrite'))
    await until(`!document.querySelector('.tree .dirty')`)
    assert.match(await read('notes.txt'), /at .*first/)
  })

  test('makes folders, renames, and deletes once that was confirmed', async () => {
    const answer = async (text: string) => {
      await until(`document.querySelector('dialog[open] input')`)
      await browser.type(text)
      await click(`document.querySelector('dialog[open] [type=submit]')`)
    }
    await click(row('notes.txt'))
    await click(button('New folder'))
    await answer('drafts')
    await click(`${row('drafts')}?.ariaSelected === 'true' && ${button('New file')}`)
    await answer('plan.md')
    await click(`document.querySelector('.file-path').textContent === 'drafts/plan.md' && ${button('Rename')}`)
    // The name without its ending is selected.
    await answer('idea')
    await until(`document.querySelector('.file-path').textContent === 'drafts/idea.md'`)
    assert.equal(await computers.shell(id, 'ls /home/node/workspace/drafts'), 'idea.md\n')
    await click(row('drafts'))
    await click(`${row('drafts')}?.ariaSelected === 'true' && ${button('Delete')}`)
    await click(`document.querySelector('dialog[open] [type=submit]')`)
    await until(`!${row('drafts')} && !document.querySelector('.file-path')`)
    assert.equal(await computers.shell(id, 'ls /home/node/workspace'), 'notes.txt\n')
  })

  test('says so where the image has no desktop', async () => {
    await view('desktop')
    await until(`document.querySelector('main h1')?.textContent === 'This computer has no desktop'`)
  })

  test('publishes a port, whose link leads to what listens there', async () => {
    await view('terminal')
    await run('echo "<link rel=icon href=data:,>hello-from-inside" > index.html; python3 -m http.server 8000 &')
    await view('ports')
    await until(`document.querySelector('.port')?.textContent.includes('8000')`)
    await click(`document.querySelector('.port button')`)
    // The link of a private port leads there with the session of the page; the address of the port keeps no token.
    await until(`document.querySelector('.port select')?.value === 'private'`)
    await browser.follow(`document.querySelector('.port a')`)
    const seen = `document.body.textContent + location.host + location.search`
    assert.match(await browser.evaluate(seen), new RegExp(`hello-from-inside\\s*8000-${id}-p8000_v1[^?]*$`))
    await browser.goTo(new URL('/#ports', session.access_url).href)
    await until(`document.querySelector('.port select')`)
    await browser.evaluate(`{
      const select = document.querySelector('.port select')
      Object.getOwnPropertyDescriptor(HTMLSelectElement.prototype, 'value').set.call(select, 'public')
      select.dispatchEvent(new Event('change', { bubbles: true }))
    }`)
    await until(`document.querySelector('.port select').value === 'public'`)
    await browser.goTo(await browser.evaluate(`document.querySelector('.port a').href`))
    assert.match(await browser.evaluate('document.body.textContent'), /hello-from-inside/)
    await browser.goTo(new URL('/#ports', session.access_url).href)
    await click(button('Withdraw'))
    await until(`document.querySelector('.port-address').textContent === 'Not published'`)
  })

  test('shows what runs, and ends it once that was confirmed', async () => {
    await view('processes')
    const line = `[...document.querySelectorAll('.processes tr')].find((each) => each.textContent.includes('http.server 8000'))`
    await click(`${line}?.querySelector('button')`)
    await click(`document.querySelector('dialog[open] [type=submit]')`)
    await until(`document.querySelector('.processes tr') && !${line}`)
  })

  test('says that its session is over as soon as it is revoked', async () => {
    await until(`document.querySelector('.terminal-pane')`)
    assert.deepEqual(browser.complaints, [])
    await computers.call('DELETE', `/computers/${id}/access-sessions/${session.id}`)
    await until(`document.querySelector('h1')?.textContent === 'This session is over'`)
    await browser.goTo(new URL('/', session.access_url).href)
    await until(`document.querySelector('h1')?.textContent === 'This page needs a link'`)
  })

  test('tells a visitor whose share is withdrawn to ask for a new link, and how its owner makes one', async () => {
    const { body } = await computers.call('POST', `/computers/${id}/shares/links`, { allow_browser: true })
    const token = new URL(body.share.share_url).pathname.split('/').at(-1)
    const { body: opened } = await server.call('POST', `/v1/shares/${token}/access-sessions`, {}, { token: null })
    await browser.goTo(opened.session.access_url)
    await until(`document.querySelector('.terminal-pane')`)
    await computers.call('DELETE', `/computers/${id}/shares/links/${body.share.id}`)
    await until(`document.querySelector('.command')?.textContent === 'carrel computers shares create ${handle}'`)
    const text = await browser.evaluate(`document.querySelector('.notice').textContent`)
    assert.match(text as string, /The share was revoked\..*Ask whoever shared it with you for a new link\./)
    await browser.goTo(new URL('/', session.access_url).href)
    await until(`document.querySelector('.notice')?.textContent.includes('If somebody shared it with you')`)
  })
})
