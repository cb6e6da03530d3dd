/** The images that a browser decodes, by the end of their names. SVG is not among them: it is a document. */
const imageTypes: Record<string, string> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  avif: 'image/avif',
  bmp: 'image/bmp',
  ico: 'image/x-icon',
}

export const maxTextBytes = 2 * 1024 * 1024
export const maxImageBytes = 32 * 1024 * 1024

/** Returns the media type of an image that is shown; undefined for a file that is shown as text. */
export function imageTypeOf(path: string): string | undefined {
  return imageTypes[/\.([a-z]+)$/i.exec(path)?.[1]?.toLowerCase() ?? '']
}
