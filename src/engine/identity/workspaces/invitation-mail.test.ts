import assert from 'node:assert/strict'
import { test } from 'node:test'
import { invitationMail } from './invitation-mail.ts'

test('a message names a workspace whose name cannot be taken for a link or a number, in any script', () => {
  const mailOf = (workspace: string) =>
    invitationMail({ link: 'https://example.com/i', workspace, inviter: 'ann@example.com', role: 'member' })
  for (const name of ['Research & Development (2026)', "Ann's Lab", 'Bücher-Köln', 'Cafe\u0301', 'टीम भारत', '研究室'])
    assert.ok(mailOf(name).text.includes(`the workspace "${name}"`), name)
  for (const name of [
    'a.b',
    'St. Mary',
    'a@b',
    'a/b',
    'a:b',
    'évil.com',
    'e\u0301.com',
    'evil。com',
    'evil⒈com',
    '+43 1',
  ])
    assert.ok(!mailOf(name).text.includes(name), name)
})
