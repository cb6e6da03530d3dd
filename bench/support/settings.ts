/** The environment of every server and driver of a measurement: apart from a real server's and from the tests'. */
export const benchEnv: NodeJS.ProcessEnv = {
  ...process.env,
  CARREL_DATA: process.env.CARREL_DATA || '/var/lib/carrel-bench',
  CARREL_NETWORK: process.env.CARREL_NETWORK || '10.218',
  CARREL_IMAGE: process.env.CARREL_IMAGE || 'slim',
  CARREL_HOST: '127.0.0.1',
  CARREL_PORT: '0',
  CARREL_LOG_LEVEL: 'warn',
}

export const benchData = benchEnv.CARREL_DATA!

/** What both sides run, and what both have to answer. */
export const command = { code: 'echo hi', argv: ['bash', '-c', 'echo hi'], stdout: 'hi\n' } as const
