/** Commands of PaperPod's document that no server of this version can serve, so that nobody takes them for misspelt. */
export const verbsToCome = [
  'browser:screenshot',
  'browser:pdf',
  'browser:scrape',
  'browser:markdown',
  'browser:content',
  'browser:trace',
  'test',
  'browser:acquire',
  'browser:connect',
  'browser:sessions',
  'browser:limits',
  'ai',
  'ai:embed',
  'ai:image',
  'ai:transcribe',
  'ai:models',
]
