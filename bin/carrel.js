#!/usr/bin/env node
/** Launches the command line: any Node from 20 on starts it, and the project's own Node runs it. */
import { existsSync } from 'node:fs'
import { basename } from 'node:path'
import { becomeProjectScript } from '../scripts/lib/project-node.js'
import { project } from '../scripts/lib/project.js'

if (existsSync(project.node)) {
  const name = basename(process.argv[1] ?? '') === 'ppod' ? 'ppod' : 'carrel'
  await becomeProjectScript('src/cli/main.ts', process.argv.slice(2), { ...process.env, CARREL_CLI_NAME: name })
}
process.stderr.write(`Cannot find Carrel's packages: run "npm start" in "${project.root}" first.\n`)
process.exitCode = 1
