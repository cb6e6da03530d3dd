import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cpuMsDuring } from '../../../../test/support/cpu-ms-during.ts'
import { htmlText } from './html-text.ts'

test('htmlText() gives what a reader sees', () => {
  for (const [html, text] of [
    ['<b>bold</b> and <i>not</i>', 'bold and not'],
    ['<h1>Title</h1>\n <p>one<br>two</p>', 'Title\none\ntwo'],
    ['<table><tr><th>a<th>b</th></tr>\n<tr><td>1</td><td>2</td></tr></table>', 'ab\n1\t2'],
    ['<style>td { color: red }</style><script>let x = "<b>"</script>shown', 'shown'],
    ['<!-- <b>hidden</b> -->shown', 'shown'],
    ['<pre>a\n  b</pre>', 'a\nb'],
    ['1 &lt; 2 &amp;&amp; &#233;&#xE9;&nbsp;&unknown;&#xd800;', '1 < 2 && éé &unknown;&#xd800;'],
    ['plain', 'plain'],
    ['', ''],
    ['<iframe src="https://example.org"></iframe>', '<iframe src="https://example.org"></iframe>'],
  ] as const)
    assert.equal(htmlText(html), text, html)
})

test('no HTML takes long', () => {
  const parts = ['<', '<!--', '<script>', '<script', '</script', '&', '<td', '<pre>\n', ' ', '&#1', '-->', '<b>']
  for (const part of parts) {
    const html = part.repeat(2 ** 20 / part.length)
    assert.ok(cpuMsDuring(() => htmlText(html)) < 500, JSON.stringify(part))
  }
})
