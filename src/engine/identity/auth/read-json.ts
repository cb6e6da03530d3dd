interface Request extends Omit<RequestInit, 'redirect'> {
  signal: AbortSignal
  /** Maximum size of the response body after decompression. */
  maxBytes: number
}

/**
 * Fetches JSON from another server. Throws for a status other than 2xx, a redirect, and a body that is too large or not
 * JSON.
 */
export async function readJson(url: string | URL, { maxBytes, ...init }: Request): Promise<unknown> {
  const response = await fetch(url, { ...init, redirect: 'error' })
  if (!response.ok) {
    await response.body?.cancel()
    throw new Error(`It answered ${response.status}`)
  }
  const chunks: Uint8Array[] = []
  let bytes = 0
  // Leaving the loop cancels the rest of the body.
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > maxBytes) throw new Error(`Its answer is larger than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return JSON.parse(Buffer.concat(chunks).toString('utf8'))
}
