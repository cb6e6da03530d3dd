/** The settings that hold secrets. No message shows their values, and no program that the server starts inherits them. */
export const secretSettings = [
  'CARREL_DATABASE_URL',
  'CARREL_GITHUB_CLIENT_SECRET',
  'CARREL_METRICS_TOKEN',
  'CARREL_MPP_SECRET',
  'CARREL_SECRET_KEY',
  'CARREL_SMTP_URL',
  'CARREL_STRIPE_KEY',
  'CARREL_STRIPE_WEBHOOK_SECRET',
  'CARREL_TEMPO_RPC',
] as const

export type SecretSetting = (typeof secretSettings)[number]

/** Removes the secrets from an environment that programs inherit, some of which outlive the server. */
export function removeSecrets(env: NodeJS.ProcessEnv): void {
  for (const name of secretSettings) delete env[name]
}
