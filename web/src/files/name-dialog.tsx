import { useState } from 'react'
import { Dialog } from '../design/dialog.tsx'
import { nameProblem } from './paths.ts'

interface Props {
  title: string
  action: string
  name?: string
  onName: (name: string) => void
  onCancel: () => void
}

/** Asks for the name of a file or folder. */
export function NameDialog({ title, action, name: first = '', onName, onCancel }: Props) {
  const [name, setName] = useState(first)
  const [problem, setProblem] = useState('')
  const agree = () => {
    const found = nameProblem(name)
    if (found === '') onName(name)
    else setProblem(found)
  }
  return (
    <Dialog title={title} action={action} onAgree={agree} onCancel={onCancel}>
      <label>
        Name
        <input
          value={name}
          spellCheck={false}
          autoComplete="off"
          aria-invalid={problem !== ''}
          onChange={({ target }) => setName(target.value)}
          onFocus={({ target }) => target.setSelectionRange(0, stemLength(first))}
        />
      </label>
      {problem !== '' && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
    </Dialog>
  )
}

/** Returns how much of a name stands before its ending: what people change. */
function stemLength(name: string): number {
  const dot = name.lastIndexOf('.')
  return dot > 0 ? dot : name.length
}
