/** Sends a signal to a process. Returns false when the process does not exist any more. */
export function sendSignal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name)
  } catch {
    return false
  }
}

/** Sends a signal to several processes. Some of them may have ended. */
export function signalEach(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) sendSignal(pid, name)
}
