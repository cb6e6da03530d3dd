import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands'
import { bracketMatching, indentOnInput, indentUnit } from '@codemirror/language'
import { highlightSelectionMatches, search, searchKeymap } from '@codemirror/search'
import { Compartment, EditorState } from '@codemirror/state'
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  highlightSpecialChars,
  keymap,
  lineNumbers,
} from '@codemirror/view'
import { useEffect, useEffectEvent, useImperativeHandle, useRef, type Ref } from 'react'
import { languageOf } from './editor-language.ts'
import { editorTheme } from './editor-theme.ts'
import { nameOf } from './paths.ts'

/** The text of an editor, for whoever saves it. */
export interface EditedText {
  /** Returns the text; undefined once the editor is gone. */
  current: () => string | undefined
}

interface Props {
  path: string
  text: string
  ref: Ref<EditedText>
  onChange: () => void
  onSave: () => void
}

/** Edits the text of one file. */
export function TextEditor({ path, text, ref, onChange, onSave }: Props) {
  const element = useRef<HTMLDivElement>(null)
  const editor = useRef<EditorView>(undefined)
  const change = useEffectEvent(onChange)
  const save = useEffectEvent(onSave)
  useImperativeHandle(ref, () => ({ current: () => editor.current?.state.sliceDoc() }), [])
  // A file that is renamed keeps its editor, with what is not saved.
  const first = useRef({ path, text })

  useEffect(() => {
    const { path, text } = first.current
    const language = new Compartment()
    const view = new EditorView({
      parent: element.current!,
      state: EditorState.create({
        doc: text,
        extensions: [
          // Text that does not end each line in the same way keeps its carriage returns as characters.
          EditorState.lineSeparator.of(lineSeparatorOf(text)),
          lineNumbers(),
          highlightSpecialChars(),
          highlightActiveLine(),
          highlightActiveLineGutter(),
          highlightSelectionMatches(),
          drawSelection(),
          history(),
          indentOnInput(),
          indentUnit.of(indentOf(text)),
          bracketMatching(),
          search({ top: true }),
          keymap.of([
            { key: 'Mod-s', preventDefault: true, run: () => (save(), true) },
            ...searchKeymap,
            ...historyKeymap,
            ...defaultKeymap,
            indentWithTab,
          ]),
          EditorView.contentAttributes.of({ 'aria-label': nameOf(path) }),
          EditorView.updateListener.of(({ docChanged }) => docChanged && change()),
          language.of([]),
          editorTheme,
        ],
      }),
    })
    editor.current = view
    let isGone = false
    languageOf(path)
      .then((found) => isGone || !found || view.dispatch({ effects: language.reconfigure(found) }))
      // Without its language a file is shown in one color.
      .catch(() => {})
    return () => {
      isGone = true
      editor.current = undefined
      view.destroy()
    }
  }, [])

  return <div className="text-editor" ref={element} />
}

function lineSeparatorOf(text: string): string {
  const lines = text.split('\n').length - 1
  return lines > 0 && text.split('\r\n').length - 1 === lines ? '\r\n' : '\n'
}

/** Returns the indentation that a text uses: that of its first indented line, at most eight spaces. */
function indentOf(text: string): string {
  return /^(\t| {2,8})\S/m.exec(text)?.[1] ?? '  '
}
