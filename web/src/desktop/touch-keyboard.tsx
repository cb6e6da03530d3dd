import { useRef, type KeyboardEvent } from 'react'
import { IconButton } from '../design/icon-button.tsx'
import { keysymOf, keysyms } from './keysyms.ts'

/**
 * The button that opens the keyboard of a touch screen for the desktop. Such keyboards tell which text they enter, not
 * which keys were pressed, so that they need a field to enter it into.
 */
export function TouchKeyboard({ onKey }: { onKey: (keysym: number) => void }) {
  const field = useRef<HTMLTextAreaElement>(null)

  const onInput = (event: InputEvent) => {
    if (event.isComposing) return
    const { inputType, data } = event
    if (inputType.startsWith('deleteContent')) onKey(keysyms.Backspace)
    else if (inputType === 'insertLineBreak') onKey(keysyms.Enter)
    else for (const character of data ?? '') onKey(keysymOf(character))
    reset(field.current)
  }
  // A keyboard that is connected to the device tells its other keys, too.
  const onKeyDown = (event: KeyboardEvent) => {
    const keysym = keysyms[event.key]
    if (keysym === undefined || event.key === 'Enter' || event.key === 'Backspace') return
    event.preventDefault()
    onKey(keysym)
  }

  return (
    <span className="touch-keyboard">
      <IconButton icon="keys" label="Keyboard" onClick={() => reset(field.current)?.focus()} />
      <textarea
        ref={field}
        aria-label="Text for the desktop"
        tabIndex={-1}
        autoCapitalize="off"
        autoComplete="off"
        autoCorrect="off"
        spellCheck={false}
        onInput={({ nativeEvent }) => onInput(nativeEvent)}
        onCompositionEnd={({ data }) => {
          for (const character of data) onKey(keysymOf(character))
          reset(field.current)
        }}
        onKeyDown={onKeyDown}
      />
    </span>
  )
}

/** Empties the field but for what Backspace can delete: an empty field tells nothing of that key. */
function reset(field: HTMLTextAreaElement | null): HTMLTextAreaElement | null {
  if (!field) return field
  field.value = ' '
  field.setSelectionRange(1, 1)
  return field
}
