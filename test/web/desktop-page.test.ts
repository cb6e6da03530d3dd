import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { AgentComputers } from '../support/agent-computer.ts'
import { BrowserPage, noBrowser } from '../support/browser.ts'
import { TestServer, until as untilIn } from '../support/server.ts'
import { settles } from '../support/settles.ts'

// The image takes minutes to build: CARREL_TEST_DESKTOP=1 is for those who change it, or what shows it.
const skip = noBrowser || process.env.CARREL_TEST_DESKTOP !== '1'

const canvas = `document.querySelector('.desktop-screen canvas')`
/** How many colours are shown: the screen alone has one, and the wallpaper thousands. */
const colours = `new Set(new Uint32Array(
  ${canvas}.getContext('2d').getImageData(0, 0, ${canvas}.width, ${canvas}.height).data.buffer)).size`
const button = (label: string) => `document.querySelector('button[aria-label=${JSON.stringify(label)}]')`

describe('the desktop of a computer in a browser', { timeout: 1_800_000, skip }, () => {
  let server: TestServer
  let computers: AgentComputers
  let browser: BrowserPage
  let id: string
  let address: string

  before(async () => {
    server = await TestServer.start({
      env: {
        CARREL_DESKTOP_IMAGE: 'desktop',
        CARREL_COMPUTER_PIDS: '1024',
        CARREL_MEMORY_OVERCOMMIT: '100',
        CARREL_DISK_OVERCOMMIT: '100',
      },
    })
    computers = new AgentComputers(server)
    ;({ id } = await computers.create())
    const { body } = await computers.call('POST', `/computers/${id}/access-sessions`, { kind: 'vnc' })
    browser = await BrowserPage.open('--autoplay-policy=no-user-gesture-required')
    await browser.goTo(body.session.access_url)
    address = await browser.evaluate('location.href')
  })
  after(async () => {
    await browser?.[Symbol.asyncDispose]()
    if (id) await computers.ended('DELETE', `/computers/${id}`)
    await server?.stop()
  })

  const until = (expression: string) => settles(browser.until(expression), expression)
  const inDesktop = (code: string) =>
    computers.shell(id, `export DISPLAY=:1 XAUTHORITY=/home/node/.Xauthority; ${code}`)

  test('is shown, in the size of the window', async () => {
    for (const size of [
      { width: 1280, height: 900 },
      { width: 1000, height: 700 },
    ]) {
      await browser.goTo(address, size)
      await until(`${canvas}?.width === ${size.width} && ${colours} > 1000`)
      assert.ok((await browser.evaluate<number>(`${canvas}.height`)) < size.height)
    }
  })

  test('shares its clipboard both ways', async () => {
    await browser.evaluate(`${button('Clipboard')}.click()`)
    await until(`document.activeElement?.id === 'clipboard-text'`)
    await browser.type('to the desktop, äö')
    await untilIn(
      () => inDesktop('timeout 3 xclip -selection clipboard -o || true'),
      (text) => text === 'to the desktop, äö',
    )
    await inDesktop('echo -n "from the desktop, ü" | timeout 60 xclip -selection clipboard >/dev/null 2>&1 &')
    await until(`document.querySelector('#clipboard-text').value === 'from the desktop, ü'`)
  })

  test('is heard once sound is turned on', async () => {
    await browser.evaluate(`{
      const { connect } = AudioNode.prototype
      AudioNode.prototype.connect = function (target) {
        window.heard = this.context.createAnalyser()
        connect.call(this, window.heard)
        return connect.call(this, target)
      }
      ${button('Turn sound on')}.click()
    }`)
    await until('window.heard')
    await inDesktop(
      '(head -c 4000000 /dev/urandom | timeout 60 paplay --raw --rate=48000 --channels=2) >/dev/null 2>&1 &',
    )
    await until(`(() => {
      const samples = new Float32Array(2048)
      window.heard.getFloatTimeDomainData(samples)
      return Math.hypot(...samples) / Math.sqrt(samples.length) > 0.1
    })()`)
    await browser.evaluate(`${button('Turn sound off')}.click()`)
    await until(button('Turn sound on'))
  })

  test('breaks no rule of the page', () => {
    assert.deepEqual(
      // noNVC and this test read the canvas, of which the browser says that it could be quicker.
      browser.complaints.filter((text) => !text.startsWith('Canvas2D:')),
      [],
    )
  })
})
