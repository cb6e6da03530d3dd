import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CarrelError, type ErrorCode } from '../../errors.ts'
import { previewWords } from './preview-words.ts'

test('the commands for an owner fit the kind of the computer', () => {
  const server = `'python3 -m http.server 80'`
  const cases: [code: ErrorCode, keepsFiles: boolean, command: string[]][] = [
    ['computer_stopped', false, [`carrel start --session <sandbox> ${server}`]],
    ['computer_stopped', true, ['carrel computers start <handle>', `carrel start --session <handle> ${server}`]],
    ['upstream_unreachable', false, ['carrel ps --session <sandbox>']],
    ['upstream_unreachable', true, ['carrel ps --session <handle>']],
    ['other_node', false, ['carrel expose --session <sandbox> 80']],
    ['other_node', true, ['carrel computers ports <handle>']],
    // Only computers that keep their files have private ports.
    [
      'unauthenticated',
      false,
      [
        'carrel computers open <handle>',
        'carrel computers ports publish <handle> 80 --public',
        'curl -H "Authorization: Bearer $CARREL_TOKEN" <address>',
      ],
    ],
    // What is not there has no kind.
    [
      'not_found',
      false,
      ['carrel expose --session <sandbox> 80', 'carrel computers ports publish <handle> 80 --public'],
    ],
  ]
  for (const [code, keepsFiles, command] of cases) {
    const { owner } = previewWords(new CarrelError(code, ''), { port: 80, keepsFiles })
    assert.deepEqual(owner?.command.split('\n'), command, `${code} ${keepsFiles}`)
  }
})
