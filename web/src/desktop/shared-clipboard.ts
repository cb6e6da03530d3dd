/** Puts text into the clipboard of this machine, where the browser allows it without being asked. */
export async function offerText(text: string): Promise<void> {
  if (!document.hasFocus()) return
  // It is refused without a permission or a secure connection; the panel shows the text then.
  await navigator.clipboard?.writeText(text).catch(() => {})
}

/** Returns the text in the clipboard of this machine, if the user has allowed the page to read it before. */
export async function takeText(): Promise<string | undefined> {
  try {
    const { state } = await navigator.permissions.query({ name: 'clipboard-read' as PermissionName })
    if (state === 'granted' && document.hasFocus()) return await navigator.clipboard.readText()
  } catch {
    // Not every browser knows the permission.
  }
  return undefined
}
