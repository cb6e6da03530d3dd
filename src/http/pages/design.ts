import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Html } from '../docs/html.ts'

const read = (name: string) => readFileSync(new URL(`assets/${name}`, import.meta.url), 'utf8')

/** The palette, which the pages of `web/` share, the typography, and the parts that all pages here share. */
export const designCss = `${read('tokens.css')}\n${read('design.css')}`

/** Changes with the content of `designCss`. */
export const designVersion = createHash('sha256').update(designCss).digest('hex').slice(0, 16)
/** The address of `designCss`, for pages that share it over many visits. */
export const designUrl = `/assets/design.css?v=${designVersion}`

/** The icon of every page, and the mark beside the name. */
export const iconSvg = read('icon.svg')
export const mark = new Html(iconSvg.trim().replace('<svg ', '<svg aria-hidden="true" '))
/** The icon as every page refers to it: previews are on origins where Carrel has no address of its own. */
export const iconUrl = `data:image/svg+xml,${encodeURIComponent(iconSvg.trim())}`

const copyJs = read('copy.js')
const lookAgainJs = read('look-again.js')
const statusCss = read('status.css')

/** The style and the script as elements, and the sources that allow exactly these in a Content-Security-Policy. */
export const inlineStyle = new Html(`<style>${designCss}</style>`)
export const inlineScript = new Html(`<script type="module">${copyJs}</script>`)
export const lookAgainScript = new Html(`<script type="module">${lookAgainJs}</script>`)
export const lookAgainSource = sourceOf(lookAgainJs)
/** The style of the status page, in addition to that of every page. */
export const statusStyle = new Html(`<style>${statusCss}</style>`)
export const statusStyleSource = sourceOf(statusCss)
export const styleSource = sourceOf(designCss)
export const scriptSource = sourceOf(copyJs)

function sourceOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}
