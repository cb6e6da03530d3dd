import { useEffect, useState } from 'react'
import { readContent } from '../api/files.ts'
import { messageOf } from '../api/request.ts'
import { nameOf } from './paths.ts'

/** Shows an image of the computer. Its bytes are an image here, whatever the file says of itself. */
export function ImageView({ path, type }: { path: string; type: string }) {
  const [url, setUrl] = useState('')
  const [error, setError] = useState('')
  const [size, setSize] = useState('')
  useEffect(() => {
    const ended = new AbortController()
    let made = ''
    readContent(path, ended.signal)
      .then((bytes) => {
        made = URL.createObjectURL(new Blob([bytes], { type }))
        if (ended.signal.aborted) URL.revokeObjectURL(made)
        else setUrl(made)
      })
      .catch((failure: unknown) => ended.signal.aborted || setError(messageOf(failure)))
    return () => {
      ended.abort()
      if (made !== '') URL.revokeObjectURL(made)
    }
  }, [path, type])
  if (error !== '') return <p className="problem">{error}</p>
  return (
    <figure className="image-view">
      {url !== '' && (
        <img
          src={url}
          alt={nameOf(path)}
          onLoad={({ currentTarget: { naturalWidth, naturalHeight } }) => setSize(`${naturalWidth} × ${naturalHeight}`)}
          onError={() => setError('This file is not an image that the browser can show.')}
        />
      )}
      <figcaption>{size}</figcaption>
    </figure>
  )
}
