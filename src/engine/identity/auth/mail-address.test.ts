import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mailAddress, mailboxOf } from './mail-address.ts'

test('mailAddress() writes an address in one form, with lower case for ASCII letters only', () => {
  for (const [text, address] of [
    ['Ann.Lee+X@Example.COM', 'ann.lee+x@example.com'],
    ['mi\u212ae@example.com', 'mi\u212ae@example.com'],
    ['M\u0130KE@example.com', 'm\u0130ke@example.com'],
    // Mail is delivered to this domain.
    ['ann@ex\u212ample.com', 'ann@exkmple.com'],
    ['ann@b\u00fccher.example', 'ann@xn--bcher-kva.example'],
    ['ann@localhost', 'ann@localhost'],
  ])
    assert.equal(mailAddress(text), address)
})

test('mailAddress() returns undefined for text that is not an address', () => {
  for (const text of [
    '',
    'ann',
    '@example.com',
    'ann@',
    'ann@@example.com',
    'ann lee@example.com',
    'ann\n@example.com',
    'ann@example.com\nBcc: bob@example.com',
    'ann@example.com,bob@example.com',
    '<ann@example.com>',
    '"ann"@example.com',
    'ann\u200b@example.com',
    'ann\u202e@example.com',
    'ann@example.com/x',
    'ann@exa mple.com',
    'ann@example.com:25',
    'ann@.com',
    `${'x'.repeat(65)}@example.com`,
    `ann@${'x'.repeat(250)}.com`,
    7,
    null,
  ])
    assert.equal(mailAddress(text), undefined, String(text))
})

test('mailboxOf() finds one mailbox for all forms of its address', () => {
  for (const [address, mailbox] of [
    ['ann+x@example.com', 'ann@example.com'],
    ['ann+x+y@example.com', 'ann@example.com'],
    ['a.n.n@example.com', 'a.n.n@example.com'],
    ['a.n.n+x@gmail.com', 'ann@gmail.com'],
    ['ann@googlemail.com', 'ann@gmail.com'],
    ['+x@example.com', '+x@example.com'],
  ] as const)
    assert.equal(mailboxOf(address), mailbox)
})
