import { HighlightStyle, syntaxHighlighting } from '@codemirror/language'
import { EditorView } from '@codemirror/view'
import { tags } from '@lezer/highlight'

const view = EditorView.theme({
  '&': { height: '100%', fontSize: '13.5px', backgroundColor: 'var(--paper)', color: 'var(--ink)' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.5' },
  '.cm-content': { caretColor: 'var(--accent)' },
  '.cm-cursor': { borderLeftColor: 'var(--accent)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    backgroundColor: 'color-mix(in srgb, var(--accent) 22%, transparent)',
  },
  '.cm-gutters': { backgroundColor: 'var(--paper)', color: 'var(--soft)', border: 'none' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'var(--code)' },
  '.cm-matchingBracket, &.cm-focused .cm-matchingBracket': {
    backgroundColor: 'var(--tint)',
    outline: '1px solid var(--edge)',
  },
  '.cm-selectionMatch, .cm-searchMatch': { backgroundColor: 'color-mix(in srgb, var(--wait) 25%, transparent)' },
  '.cm-panels': { backgroundColor: 'var(--raised)', color: 'var(--ink)', borderColor: 'var(--line)' },
  '.cm-panels.cm-panels-top': { borderBottom: '1px solid var(--line)' },
  '.cm-panel.cm-search': { padding: '0.5rem 2rem 0.5rem 0.75rem', fontFamily: 'inherit' },
  '.cm-panel.cm-search :is(input, button, label)': { fontSize: '0.85rem', verticalAlign: 'middle' },
  '.cm-panel.cm-search [name=close]': {
    padding: '0.2rem 0.7rem',
    border: 'none',
    background: 'none',
    color: 'var(--soft)',
  },
  '.cm-textfield': { border: '1px solid var(--edge)', borderRadius: '6px', backgroundColor: 'var(--paper)' },
  '.cm-button': {
    border: '1px solid var(--line)',
    borderRadius: '6px',
    background: 'none',
    color: 'var(--ink)',
    fontWeight: '500',
    padding: '0.2em 0.7em',
  },
})

const colors = HighlightStyle.define([
  { tag: [tags.keyword, tags.modifier, tags.operatorKeyword], color: 'var(--socket)' },
  { tag: [tags.string, tags.special(tags.string), tags.regexp], color: 'var(--post)' },
  { tag: [tags.number, tags.bool, tags.null, tags.atom, tags.constant(tags.name)], color: 'var(--put)' },
  { tag: [tags.comment, tags.meta], color: 'var(--soft)', fontStyle: 'italic' },
  { tag: [tags.function(tags.variableName), tags.function(tags.propertyName), tags.heading], color: 'var(--get)' },
  { tag: [tags.typeName, tags.className, tags.tagName], color: 'var(--get)' },
  { tag: [tags.heading, tags.strong], fontWeight: '650' },
  { tag: tags.emphasis, fontStyle: 'italic' },
  { tag: [tags.link, tags.url], color: 'var(--accent)', textDecoration: 'underline' },
  { tag: tags.inserted, color: 'var(--good)' },
  { tag: [tags.deleted, tags.invalid], color: 'var(--bad)' },
])

/** The editor in the colors of the page. */
export const editorTheme = [view, syntaxHighlighting(colors)]
