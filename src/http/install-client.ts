import { version } from '../version.ts'

/** How a reader gets the command line, as long as its package is not published. Commands are between backticks. */
export const installClient = `In the server's folder, \`npx carrel\` runs it, and \`npm install -g .\` puts \`carrel\` on PATH. For other machines (Node 20.3 or later), \`npm pack\` in that folder makes carrel-${version}.tgz, and \`npm install -g ./carrel-${version}.tgz\` installs it.`
