#!/usr/bin/env node
// On Windows, a program does not see the name that it was called by.
process.env['CARREL_CLI_NAME'] = 'ppod'
await import('./main.ts')
