interface Asked extends Omit<RequestInit, 'redirect'> {
  signal: AbortSignal
  /** The answer is refused when it is larger, once it is unpacked. */
  maxBytes: number
}

/** The JSON that another server answers with. Rejects for a status other than 2xx, a redirect, one that is too large or no JSON. */
export async function readJson(url: string | URL, { maxBytes, ...init }: Asked): Promise<unknown> {
  const response = await fetch(url, { ...init, redirect: 'error' })
  if (!response.ok) {
    await response.body?.cancel()
    throw new Error(`It answered ${response.status}`)
  }
  const chunks: Uint8Array[] = []
  let bytes = 0
  // DeletionSubject the loop cancels what is still to come.
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > maxBytes) throw new Error(`Its answer is larger than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return JSON.parse(Buffer.concat(chunks).toString('utf8'))
}
