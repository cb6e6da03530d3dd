import type { Settings } from '../../config/settings.ts'
import { sizeBounds } from '../../engine/computers/durable/sizes.ts'

/** Returns the bounds of a computer's size, as clients know them. */
export function resourceLimitsOf({ settings }: { settings: Settings }) {
  const { memoryBytes, diskBytes } = sizeBounds
  return {
    default_vcpus: settings.computerCpus,
    min_memory_mib: memoryBytes.min / MiB,
    max_memory_mib: memoryBytes.max / MiB,
    memory_step_mib: memoryBytes.step / MiB,
    min_storage_bytes: diskBytes.min,
    max_storage_bytes: diskBytes.max,
    storage_step_bytes: diskBytes.step,
  }
}

const MiB = 1024 * 1024
