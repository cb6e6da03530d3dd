import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ViewOnlyFilter } from './view-only-filter.ts'

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')
const hello = Buffer.concat([Buffer.from('RFB 003.008\n'), hex('01 00')])
const welcomed = Buffer.concat([Buffer.from('RFB 003.008\n'), hex('01 01')])

/** Passes bytes through a new filter in pieces of a size. */
function filtered(bytes: Buffer, pieceBytes = bytes.length): Buffer {
  const filter = new ViewOnlyFilter()
  const passed = []
  for (let at = 0; at < bytes.length; at += pieceBytes) passed.push(filter.take(bytes.subarray(at, at + pieceBytes)))
  return Buffer.concat(passed)
}

const messages: [name: string, sent: Buffer, passed: Buffer | undefined][] = [
  ['SetPixelFormat', hex(`00 000000 ${'20'.repeat(16)}`), undefined],
  ['SetEncodings', hex('02 00 0003 00000007 fffffec4 ffffff21'), hex('02 00 0002 00000007 ffffff21')],
  ['FramebufferUpdateRequest', hex('03 01 0000 0000 0400 0300'), undefined],
  ['EnableContinuousUpdates', hex('96 01 0000 0000 0400 0300'), undefined],
  ['ClientFence', hex('f8 000000 80000000 03 010203'), undefined],
  ['KeyEvent', hex('04 01 0000 00000061'), Buffer.alloc(0)],
  ['PointerEvent', hex('05 01 0010 0020'), Buffer.alloc(0)],
  ['ClientCutText', hex('06 000000 00000003 030303'), Buffer.alloc(0)],
  ['extended ClientCutText', hex('06 000000 fffffffc 02000001'), Buffer.alloc(0)],
  ['SetDesktopSize', hex(`fb 00 0400 0300 01 00 ${'00'.repeat(16)}`), Buffer.alloc(0)],
  ['QEMU KeyEvent', hex('ff 00 0001 00000061 0000001e'), Buffer.alloc(0)],
  ['xvp', hex('fa 00 01 02'), Buffer.alloc(0)],
]

test('what looks is passed on and what acts is left out, in pieces of every size', () => {
  const sent = Buffer.concat([hello, ...messages.map(([, bytes]) => bytes)])
  const passed = Buffer.concat([welcomed, ...messages.map(([, bytes, kept]) => kept ?? bytes)])
  for (const pieceBytes of [1, 2, 7, 19, sent.length]) assert.deepEqual(filtered(sent, pieceBytes), passed)
  for (const [name, bytes, kept = bytes] of messages)
    assert.deepEqual(filtered(Buffer.concat([hello, bytes])), Buffer.concat([welcomed, kept]), name)
})

test('a text for the clipboard is left out as it arrives, however long it says it is', () => {
  const filter = new ViewOnlyFilter()
  filter.take(Buffer.concat([hello, hex('06 000000 7fffffff')]))
  for (let piece = 0; piece < 100; piece++) assert.equal(filter.take(Buffer.alloc(1000, 3)).length, 0)
})

for (const [what, bytes] of [
  ['another protocol', Buffer.from('GET / HTTP/1.1\r\n')],
  ['an old version', Buffer.from('RFB 003.003\n')],
  ['a kind of security that the server does not have', Buffer.concat([Buffer.from('RFB 003.008\n'), hex('02')])],
  ['an unknown message', Buffer.concat([hello, hex('07')])],
  ["QEMU's audio", Buffer.concat([hello, hex('ff 01 0000')])],
  ['too many encodings', Buffer.concat([hello, hex('02 00 ffff')])],
  ['a mebibyte of messages at once', Buffer.concat([hello, Buffer.alloc(1024 * 1024, hex('02 00 0000'))])],
  ['a long fence', Buffer.concat([hello, hex('f8 000000 00000000 ff')])],
] as const)
  test(`${what} ends the connection`, () => assert.throws(() => filtered(Buffer.from(bytes)), /the client/))
