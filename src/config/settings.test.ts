import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readSettings, SettingError } from './settings.ts'

test('readSettings() returns the defaults without any variable', () => {
  const settings = readSettings({})
  assert.deepEqual([settings.host, settings.port, settings.dataDirectory], ['127.0.0.1', 4280, '/var/lib/carrel'])
  assert.deepEqual([settings.image, settings.runtime, settings.allowedAddresses], ['base', undefined, []])
  assert.deepEqual([settings.idleTimeoutMs, settings.computerMemoryBytes], [600_000, 1024 * 1024 * 1024])
})

test('an empty variable counts as unset', () => {
  const names = Object.keys(bad)
  assert.deepEqual(readSettings(Object.fromEntries(names.map((name) => [name, '']))), readSettings({}))
})

const bad: Record<string, string[]> = {
  CARREL_HOST: ['a b', 'http://x/', '127.0.0.1/8'],
  CARREL_PORT: ['-1', '65536', '80.5', 'http', '0x', 'NaN', 'Infinity'],
  CARREL_DATA: ['/a:b', '/a,b', `/${'x'.repeat(60)}`, '/a\nb'],
  CARREL_PREVIEW_DOMAIN: ['Example.com', 'a b', 'a/b', 'a:80'],
  CARREL_PUBLIC_URL: [
    'carrel.example.com',
    'ftp://x',
    'https://x/path',
    'https://user@x',
    'https://x?y',
    'https://',
    'https://x#y',
  ],
  CARREL_TRUSTED_PROXIES: ['example.com', '10.0.0.1/33', '::1/129', 'all', 'true', '10.0.0', '10.0.0.1:80'],
  CARREL_LOG_LEVEL: ['loud', 'INFO'],
  CARREL_IMAGE: ['a b', 'a;b'],
  CARREL_NETWORK: ['10', '10.1.2', '8.8', '172.15', '172.32', '192.167', 'x.y', '10.256', '10.999'],
  CARREL_ALLOW_ADDRESSES: [
    'example.com',
    '10.0.0.1:http',
    '10.0.0.1/x',
    '::1',
    '10.0.0.1;10.0.0.2',
    '10.0.0.300',
    '10.0.0.1/33',
    '10.0.0.1:70000',
  ],
  CARREL_RESOLVERS: ['::1', 'dns', '1.1.1', '1.1.1.1:53', '1.1.1.300'],
  CARREL_COMPUTER_CPUS: ['0', '0.05', '100000', 'two'],
  CARREL_COMPUTER_MEMORY_MIB: ['63', '1.5', '1000000000', 'much'],
  CARREL_COMPUTER_DISK_MIB: ['63', '64.5', 'x'],
  CARREL_DISK_RESERVE_MIB: ['0', '63', '64.5', 'x'],
  CARREL_COMPUTER_PIDS: ['15', '4000001', '16.5'],
  CARREL_IDLE_TIMEOUT_S: ['0', '-5', '10m', '2592001'],
  CARREL_SWEEP_INTERVAL_MS: ['49', '3600001'],
  CARREL_WARM_COMPUTERS: ['-1', '1001', '1.5'],
  CARREL_SNAPSHOT_HOURS: ['-1', '8761', '1.5'],
  CARREL_SNAPSHOTS_KEPT: ['0', '101', 'all'],
  CARREL_MAIL_FROM: ['carrel', 'a@b@c', 'x@y\nBcc: z@y'],
  CARREL_SIGN_UP: ['yes', 'OPEN'],
  CARREL_SIGN_INS_PER_MINUTE: ['-1', '0.5', 'x'],
  CARREL_GITHUB_URL: ['github.com', 'https://github.com/login'],
  CARREL_OIDC_ISSUERS: [
    'https://id.example.com',
    'http://id.example.com=carrel',
    'id.example.com=carrel',
    'https://x=',
  ],
  CARREL_NETWORK_POOL: ['-1', '1001', 'x'],
  CARREL_STRIPE_URL: ['api.stripe.com', 'https://x/v1'],
  CARREL_PLAY_MONEY: ['yes', '1', 'ON'],
  CARREL_TEMPO_NETWORK: ['main', 'MAINNET'],
  CARREL_TEMPO_RECIPIENT: ['carrel.eth', '0x1', `0x${'g'.repeat(40)}`, `0x${'1'.repeat(41)}`],
  CARREL_TEMPO_TOKEN: ['usdc'],
}

for (const [name, values] of Object.entries(bad)) {
  for (const value of values) {
    test(`${name}=${JSON.stringify(value).slice(0, 40)} is refused in one sentence that names it`, () => {
      assert.throws(
        () => readSettings({ [name]: value }),
        (error) => {
          assert.ok(error instanceof SettingError)
          assert.ok(
            error.message.startsWith(`Cannot start: ${name} is ${JSON.stringify(value)}; set it to `),
            error.message,
          )
          assert.ok(!error.message.includes('\n'))
          return true
        },
      )
    })
  }
}

test('valid values are accepted, lists separated by commas or spaces', () => {
  const settings = readSettings({
    CARREL_HOST: '::1',
    CARREL_PORT: '0',
    CARREL_PREVIEW_DOMAIN: '.preview.example.com.',
    CARREL_NETWORK: '172.31',
    CARREL_ALLOW_ADDRESSES: '10.0.0.1, 10.1.0.0/16 10.2.0.1:5432,10.3.0.0/24:443',
    CARREL_RESOLVERS: '1.1.1.1 9.9.9.9',
    CARREL_COMPUTER_CPUS: '0.5',
    CARREL_IDLE_TIMEOUT_S: '1',
    CARREL_DATA: 'relative/../data',
    CARREL_PUBLIC_URL: 'HTTPS://Carrel.Example.com:443/',
    CARREL_TRUSTED_PROXIES: 'loopback, 10.0.0.0/8 fd00::/8,::1',
  })
  assert.equal(settings.publicUrl, 'https://carrel.example.com')
  assert.deepEqual(settings.trustedProxies, ['loopback', '10.0.0.0/8', 'fd00::/8', '::1'])
  assert.deepEqual([settings.host, settings.port, settings.previewDomain], ['::1', 0, 'preview.example.com'])
  assert.deepEqual(settings.allowedAddresses, ['10.0.0.1', '10.1.0.0/16', '10.2.0.1:5432', '10.3.0.0/24:443'])
  assert.deepEqual([settings.resolvers, settings.idleTimeoutMs], [['1.1.1.1', '9.9.9.9'], 1000])
  assert.equal(settings.dataDirectory, `${process.cwd()}/data`)
})

test('an issuer is an address and the audience that its tokens have to name', () => {
  const { oidcIssuers } = readSettings({
    CARREL_OIDC_ISSUERS: 'https://id.example.com/realm=carrel, http://127.0.0.1:1=b=c',
  })
  assert.deepEqual(oidcIssuers, [
    { issuer: 'https://id.example.com/realm', audience: 'carrel' },
    { issuer: 'http://127.0.0.1:1', audience: 'b=c' },
  ])
})

test('a public address under the preview domain is refused, as only previews are served there', () => {
  const env = { CARREL_PUBLIC_URL: 'https://api.example.com', CARREL_PREVIEW_DOMAIN: 'example.com' }
  assert.throws(() => readSettings(env), /^Error: Cannot start: CARREL_PUBLIC_URL is "https:\/\/api\.example\.com"/)
  assert.equal(readSettings({ ...env, CARREL_PREVIEW_DOMAIN: 'preview.example.com' }).publicUrl, env.CARREL_PUBLIC_URL)
})

test('mail requires a public address, so that links lead nowhere else', () => {
  const env = { CARREL_SMTP_URL: 'smtp://user:secret@mail.example.com:587' }
  assert.throws(() => readSettings(env), /^Error: Cannot start: CARREL_SMTP_URL is set, but CARREL_PUBLIC_URL is not/)
  const { smtpUrl } = readSettings({ ...env, CARREL_PUBLIC_URL: 'https://carrel.example.com' })
  assert.equal(smtpUrl, env.CARREL_SMTP_URL)
})

test('play money is refused if others can reach the server, and beside real money', () => {
  const reachable: Record<string, string>[] = [
    { CARREL_HOST: '0.0.0.0' },
    { CARREL_HOST: '::' },
    { CARREL_HOST: '192.168.1.4' },
    { CARREL_HOST: 'carrel.example.com' },
    { CARREL_PUBLIC_URL: 'https://carrel.example.com' },
    { CARREL_PUBLIC_URL: 'http://localhost.example.com' },
    { CARREL_TRUSTED_PROXIES: 'loopback' },
    { CARREL_STRIPE_KEY: 'sk_test_1' },
  ]
  for (const env of reachable) {
    const [name] = Object.keys(env)
    const refusal = new RegExp(`^Error: Cannot start: CARREL_PLAY_MONEY is on, but ${name} is .*; (un)?set one of them`)
    assert.throws(() => readSettings({ ...env, CARREL_PLAY_MONEY: 'on' }), refusal)
    assert.equal(readSettings(env).playMoney, false)
  }
  for (const CARREL_HOST of ['127.0.0.1', '127.8.8.8', '::1', 'localhost'])
    for (const CARREL_PUBLIC_URL of ['', 'http://localhost:4280', 'http://127.0.0.1', 'http://[::1]:80'])
      assert.equal(readSettings({ CARREL_HOST, CARREL_PUBLIC_URL, CARREL_PLAY_MONEY: 'on' }).playMoney, true)
})

test('the message about an invalid secret does not reveal it', () => {
  for (const [name, value] of [
    ['CARREL_DATABASE_URL', 'postgres://carrel:a#secret@localhost/carrel'],
    ['CARREL_DATABASE_URL', 'postgres://carrel:a@secret/b:c@localhost/carrel'],
    ['CARREL_DATABASE_URL', 'postgres://carrel:secret@localhost'],
    ['CARREL_DATABASE_URL', 'mysql://carrel:secret@localhost/carrel'],
    ['CARREL_STRIPE_KEY', 'pk_live_secret'],
    ['CARREL_STRIPE_KEY', 'sk_secret'],
    ['CARREL_STRIPE_WEBHOOK_SECRET', 'we_secret'],
    ['CARREL_MPP_SECRET', 'a secret of thirty-one letters.'],
    ['CARREL_SECRET_KEY', 'a'.repeat(42)],
    ['CARREL_SECRET_KEY', 'a'.repeat(63)],
    ['CARREL_SECRET_KEY', `${'a'.repeat(64)},short`],
    ['CARREL_SECRET_KEY', ' , '],
    ['CARREL_SMTP_URL', 'user:secret@mail.example.com'],
    ['CARREL_SMTP_URL', 'http://user:secret@mail.example.com'],
    ['CARREL_SMTP_URL', 'smtp://?secret'],
    ['CARREL_TEMPO_RPC', 'rpc.example.com/secret'],
    ['CARREL_TEMPO_RPC', 'wss://rpc.example.com/secret'],
  ] as const)
    assert.throws(
      () => readSettings({ [name]: value }),
      ({ message }: Error) =>
        message.startsWith(`Cannot start: ${name} cannot be used; set it to `) && !message.includes(value),
    )
})

test('CARREL_SECRET_KEY is a list of keys in base64, base64url or hex', () => {
  const [first, second] = [Buffer.alloc(32, 251), Buffer.alloc(32, 2)]
  const written = (['base64', 'base64url', 'hex'] as const).map((encoding) => first.toString(encoding))
  for (const text of written)
    for (const separator of [',', ', ', ' ', '\n'])
      assert.deepEqual(readSettings({ CARREL_SECRET_KEY: `${text}${separator}${second.toString('hex')}` }).secretKeys, [
        first,
        second,
      ])
  assert.deepEqual(readSettings({}).secretKeys, [])
})
