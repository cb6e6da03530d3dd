import { readCapacity } from '../../engine/computers/durable/capacity.ts'
import { requireImage } from '../../engine/computers/durable/find-image.ts'
import { computerImages } from '../../engine/computers/images.ts'
import { sizeBounds, sizeOf, sizePresets, type Size } from '../../engine/computers/durable/sizes.ts'
import type { Static } from 'typebox'
import type { Engine } from '../../engine/engine.ts'
import type { App } from '../../http/app.ts'
import { requireComputer } from '../../engine/computers/access/open-computer.ts'
import { resourceLimitsOf } from './resource-limits.ts'
import { imageOf, MiB, wantedSizeOf } from './computer-mapping.ts'
import {
  capacityAnswer,
  capacityBody,
  imageAnswer,
  imageParams,
  imagesAnswer,
  presetsAnswer,
} from './computer-schemas.ts'

/** Adds what computers can be created from: images, sizes, and what the host has room for. */
export function addCatalogRoutes(app: App, engine: Engine): void {
  app.get(
    '/v1/computer-images',
    {
      schema: { response: { 200: imagesAnswer } },
      config: { scope: 'any', documentation: { description: 'List computer images' } },
    },
    async () => ({ images: (await computerImages(engine)).map(imageOf) }),
  )
  app.get(
    '/v1/computer-images/:imageId',
    {
      schema: { params: imageParams, response: { 200: imageAnswer } },
      config: { scope: 'any', documentation: { description: 'Read one computer image', errors: ['not_found'] } },
    },
    async ({ params: { imageId } }) => ({ image: imageOf(requireImage(await computerImages(engine), imageId)) }),
  )
  app.get(
    '/v1/computer-size-presets',
    {
      schema: { response: { 200: presetsAnswer } },
      config: {
        public: true,
        documentation: { description: 'List all public size presets with their memory and storage allocations' },
      },
    },
    async () => ({
      presets: sizePresets.map(({ preset, label, memoryBytes, diskBytes }) => ({
        id: preset,
        label,
        memory_mib: memoryBytes / MiB,
        storage_bytes: diskBytes,
      })),
    }),
  )
  app.post(
    '/v1/computer-capacity/check',
    {
      schema: { body: capacityBody, response: { 200: capacityAnswer } },
      config: {
        scope: 'any',
        rateClass: 'read',
        documentation: {
          description: 'Validate requested RAM and storage against currently enabled host capacity',
          example: { size_preset: 'ram-4g' },
          errors: ['not_found'],
        },
      },
    },
    async ({ body, caller }) => {
      const besides = body.computer_id || body.exclude_computer_id
      const other = besides ? await requireComputer(engine, caller, besides, 'look') : undefined
      const capacity = await readCapacity(engine, other?.id)
      const size = sizeOrReason(body)
      const fits = {
        memory: typeof size !== 'string' && size.memoryBytes <= capacity.freeMemoryBytes,
        storage: typeof size !== 'string' && size.diskBytes <= capacity.freeDiskBytes,
      }
      const isLinux = !body.platform || body.platform === 'linux'
      const available = fits.memory && fits.storage && isLinux
      const reason = !isLinux
        ? ('platform_unavailable' as const)
        : typeof size === 'string'
          ? ('invalid_size' as const)
          : fits.memory
            ? ('insufficient_storage' as const)
            : ('insufficient_memory' as const)
      return {
        available,
        ...(available ? {} : { reason_code: reason }),
        available_memory_mib: Math.max(0, Math.floor(capacity.freeMemoryBytes / MiB)),
        available_storage_bytes: Math.max(0, capacity.freeDiskBytes),
        configured_hosts: 1,
        matching_hosts: available ? 1 : 0,
        max_memory_mib: largest(capacity.freeMemoryBytes, sizeBounds.memoryBytes) / MiB,
        max_storage_bytes: largest(capacity.freeDiskBytes, sizeBounds.diskBytes),
        requested_memory_mib: typeof size === 'string' ? (body.requested_memory_mib ?? 0) : size.memoryBytes / MiB,
        requested_storage_bytes: typeof size === 'string' ? (body.requested_storage_bytes ?? 0) : size.diskBytes,
        size_preset: typeof size === 'string' ? (body.size_preset ?? 'custom') : (size.preset ?? 'custom'),
        resource_limits: resourceLimitsOf(engine),
      }
    },
  )
}

type Body = Static<typeof capacityBody>

/** Returns the size that a request asks for; undefined where no computer can have it. */
function sizeOrReason(body: Body): Size | 'invalid' {
  try {
    return sizeOf(wantedSizeOf(body))
  } catch {
    return 'invalid'
  }
}

/** Returns the greatest size within the bounds that fits; 0 where even the smallest does not. */
function largest(freeBytes: number, { min, max, step }: { min: number; max: number; step: number }): number {
  const bytes = Math.min(max, Math.floor(freeBytes / step) * step)
  return bytes < min ? 0 : bytes
}
