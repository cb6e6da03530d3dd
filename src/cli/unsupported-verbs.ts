/** Commands of PaperPod's document that this version does not support, so that they are not reported as misspelt. */
export const unsupportedVerbs = [
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
