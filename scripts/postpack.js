#!/usr/bin/env node
/** `npm pack` calls this last. */
import { restoreProject } from './lib/client-package/stand-ins.js'
import { project } from './lib/project.js'

restoreProject(project.root)
