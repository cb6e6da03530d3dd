#!/usr/bin/env node
/** `npm pack` calls this first: it packs the client, a package of the command line and the SDK alone. */
import { placeStandIns } from './lib/client-package/stand-ins.js'
import { project } from './lib/project.js'
import { reportingSetupFailure } from './lib/setup-failure.js'

await reportingSetupFailure(async () => placeStandIns(project.root))
