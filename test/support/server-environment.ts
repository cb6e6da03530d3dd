import { testDataDirectory } from './data-directory.ts'

export const testNetwork = process.env.CARREL_NETWORK ?? '10.214'

/** The settings of every server of the tests. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  return {
    ...process.env,
    CARREL_DATA: testDataDirectory,
    CARREL_NETWORK: testNetwork,
    CARREL_PORT: '0',
    CARREL_IMAGE: 'slim',
    CARREL_DESKTOP_IMAGE: 'none',
    CARREL_LOG_LEVEL: 'warn',
    // All of them come from one network, and sign up more people than anybody does in a day.
    CARREL_FIRST_CREDITS_PER_NETWORK: '0',
    CARREL_FIRST_CREDITS_PER_DAY: '0',
    CARREL_MAILS_PER_NETWORK: '0',
    CARREL_MAILS_PER_DAY: '0',
    CARREL_INVITATIONS_PER_DAY: '0',
    CARREL_WARM_COMPUTERS: '0',
    CARREL_NETWORK_POOL: '4',
    CARREL_COMPUTER_MEMORY_MIB: '256',
    CARREL_COMPUTER_DISK_MIB: '512',
    CARREL_COMPUTER_PIDS: '256',
  }
}
