import type { ImageDefaults } from '../computers.ts'

/** Returns whether an image says that its computers have a desktop. */
export function hasDesktop({ tools }: Pick<ImageDefaults, 'tools'>): boolean {
  return tools?.['desktop'] !== undefined
}
