import { Dialog } from '../design/dialog.tsx'
import type { DroppedFile } from './dropped-files.ts'
import { NameDialog } from './name-dialog.tsx'
import { nameOf } from './paths.ts'

/** What is asked before something is done to files. */
export type Question =
  | { kind: 'new file' | 'new folder'; folder: string }
  | { kind: 'rename'; path: string }
  | { kind: 'delete'; path: string; isFolder: boolean }
  | { kind: 'replace'; files: DroppedFile[]; existing: number }
  /** `path`: the file to open instead; '' for none. */
  | { kind: 'leave'; path: string; unsaved: string }

interface Props {
  question: Question
  /** `name`: what was entered, if a name was asked for. */
  onAgree: (question: Question, name: string) => void
  onCancel: () => void
}

/** Asks one question. */
export function FileQuestion({ question, onAgree, onCancel }: Props) {
  const agree = (name = '') => onAgree(question, name)
  switch (question.kind) {
    case 'new file':
    case 'new folder': {
      const title = `${question.kind === 'new file' ? 'New file' : 'New folder'} in ${question.folder || 'the workspace'}`
      return <NameDialog title={title} action="Create" onName={agree} onCancel={onCancel} />
    }
    case 'rename': {
      const name = nameOf(question.path)
      return <NameDialog title={`Rename “${name}”`} action="Rename" name={name} onName={agree} onCancel={onCancel} />
    }
    case 'delete': {
      const what = question.isFolder ? 'The folder and all that is in it are' : 'The file is'
      return (
        <Dialog
          title={`Delete “${nameOf(question.path)}”?`}
          action="Delete"
          dangerous
          onAgree={agree}
          onCancel={onCancel}
        >
          <p>{what} deleted for good.</p>
        </Dialog>
      )
    }
    case 'replace': {
      const title = question.existing === 1 ? 'Replace 1 file?' : `Replace ${question.existing} files?`
      return (
        <Dialog title={title} action="Replace" dangerous onAgree={agree} onCancel={onCancel}>
          <p>Files with these names exist already.</p>
        </Dialog>
      )
    }
    case 'leave':
      return (
        <Dialog title="Leave without saving?" action="Leave" dangerous onAgree={agree} onCancel={onCancel}>
          <p>What you changed in “{nameOf(question.unsaved)}” is not saved.</p>
        </Dialog>
      )
  }
}
