import { useEffect, useRef, useState } from 'react'
import { SoundPlayer } from './sound-player.ts'

/** Sound, which is off until it is asked for. */
export function useSound(onProblem: (message: string) => void): { isOn: boolean; toggle: () => void } {
  const player = useRef<SoundPlayer>(undefined)
  const [isOn, setOn] = useState(false)
  useEffect(() => () => player.current?.close(), [])
  const toggle = () => {
    setOn(!isOn)
    if (isOn) return player.current?.close()
    player.current = new SoundPlayer((problem) => {
      setOn(false)
      onProblem(problem)
    })
  }
  return { isOn, toggle }
}
