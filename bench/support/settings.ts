/**
 * The environment of every server and driver in a benchmark, separate from a real server's and from that of the tests.
 */
export const benchEnv: NodeJS.ProcessEnv = {
  ...process.env,
  CARREL_DATA: process.env.CARREL_DATA || '/var/lib/carrel-bench',
  CARREL_NETWORK: process.env.CARREL_NETWORK || '10.218',
  CARREL_IMAGE: process.env.CARREL_IMAGE || 'slim',
  CARREL_DESKTOP_IMAGE: 'none',
  CARREL_HOST: '127.0.0.1',
  CARREL_PORT: '0',
  CARREL_LOG_LEVEL: 'warn',
}

export const benchData = benchEnv.CARREL_DATA!

/** The command that both sides run, and the output that both have to return. */
export const command = { code: 'echo hi', argv: ['bash', '-c', 'echo hi'], stdout: 'hi\n' } as const
