import assert from 'node:assert/strict'
import { test } from 'node:test'
import { designCss, designUrl } from './design.ts'

/** The colors of `designCss` by name, each for a light and a dark screen. */
const palette = new Map(
  [...designCss.matchAll(/--([\w-]+): light-dark\((#\w{6}), (#\w{6})\);/g)].map(([, name, light, dark]) => [
    name!,
    [light!, dark!] as const,
  ]),
)

const texts = ['ink', 'soft', 'accent', 'get', 'post', 'put', 'delete', 'socket', 'good', 'wait', 'bad']
const grounds = ['paper', 'raised', 'code', 'tint']

test('every color of text stands out from every ground as WCAG AA asks, on light and dark screens', () => {
  const pairs = texts.flatMap((text) => grounds.map((ground) => [text, ground, 4.5] as const))
  for (const [text, ground, min] of [...pairs, ['on-accent', 'accent', 4.5] as const, ['edge', 'raised', 3] as const])
    for (const scheme of [0, 1] as const) {
      const contrast = contrastOf(palette.get(text)![scheme], palette.get(ground)![scheme])
      assert.ok(contrast >= min, `${text} on ${ground}: ${contrast.toFixed(2)}`)
    }
})

test('badges stand out from their own tint', () => {
  for (const text of texts.filter((name) => designCss.includes(`color: var(--${name})`)))
    for (const [scheme, color] of palette.get(text)!.entries()) {
      const ground = mixed(color, palette.get('paper')![scheme as 0 | 1], 0.1)
      assert.ok(contrastOf(color, ground) >= 4.5, `${text}: ${contrastOf(color, ground).toFixed(2)}`)
    }
})

test('every color is of the palette, and the style loads nothing', () => {
  const rules = designCss.slice(designCss.indexOf('}'))
  assert.doesNotMatch(rules, /#[0-9a-f]{3,8}\b|\b(?:rgb|hsl)/i)
  assert.doesNotMatch(designCss, /url\(|@import|@font-face/)
  const used = [...designCss.matchAll(/var\(--([\w-]+)\)/g)].map(([, name]) => name!)
  for (const name of used) assert.match(designCss, new RegExp(`--${name}: `))
})

test('the address of the style names its content', () => {
  assert.match(designUrl, /^\/assets\/design\.css\?v=[0-9a-f]{16}$/)
})

function contrastOf(one: string, other: string): number {
  const [dark, light] = [luminanceOf(one), luminanceOf(other)].toSorted((a, b) => a - b)
  return (light! + 0.05) / (dark! + 0.05)
}

/** Returns the color that a layer of `share` of one color gives on another. */
function mixed(one: string, other: string, share: number): string {
  const [over, under] = [channelsOf(one), channelsOf(other)]
  return `#${over
    .map((value, i) => Math.round(value * share + under[i]! * (1 - share)))
    .map((value) => value.toString(16).padStart(2, '0'))
    .join('')}`
}

function channelsOf(color: string): number[] {
  return [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16))
}

/** Returns the relative luminance of a color such as `#fcfbf8`, as WCAG 2 defines it. */
function luminanceOf(color: string): number {
  const [red, green, blue] = channelsOf(color).map((value) => {
    const share = value / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!
}
