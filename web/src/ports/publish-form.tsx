import { useState } from 'react'
import type { Visibility } from '../api/ports.ts'

/** Publishes a port by its number, whether or not something listens yet. */
export function PublishForm({ onPublish }: { onPublish: (port: number, visibility: Visibility) => void }) {
  const [port, setPort] = useState('')
  const [visibility, setVisibility] = useState<Visibility>('private')
  return (
    <form
      className="publish"
      onSubmit={(event) => {
        event.preventDefault()
        onPublish(Number(port), visibility)
        setPort('')
      }}
    >
      <label>
        Port
        <input
          type="number"
          required
          min={1}
          max={65535}
          placeholder="8000"
          value={port}
          onChange={({ target }) => setPort(target.value)}
        />
      </label>
      <label>
        Who may open it
        <select value={visibility} onChange={({ target }) => setVisibility(target.value as Visibility)}>
          <option value="private">People with access</option>
          <option value="public">Everybody</option>
        </select>
      </label>
      <button type="submit">Publish</button>
    </form>
  )
}
