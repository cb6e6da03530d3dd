import type { Surface } from '../http/surface.ts'
import { agentComputer } from './agent-computer/surface.ts'
import { carrel } from './carrel/surface.ts'
import { environments } from './environments/surface.ts'
import { paperpod } from './paperpod/surface.ts'
import { pawpado } from './pawpado/surface.ts'

/** Every API that the server serves, in the order in which the documentation shows them. */
export const surfaces: readonly Surface[] = [paperpod, carrel, agentComputer, environments, pawpado]
