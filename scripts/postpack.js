#!/usr/bin/env node
/** `npm pack` calls this last. Run it by hand if npm was killed before: it restores the project's manifest. */
import { restoreProject } from './lib/client-package/stand-ins.js'
import { project } from './lib/project.js'

restoreProject(project.root)
