/**
 * Text from outside (a file name, a manifest, a foreign error) as it may go to a terminal: control characters and
 * those that turn the direction of writing become escapes, so that a name cannot move the cursor or fake a line.
 */
export function printable(text: string): string {
  return text.replace(unsafe, escape)
}

/** The same for a message of several lines: its line ends stay. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n')
}

// eslint-disable-next-line no-control-regex -- finding control characters is what it is for
const unsafe = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

function escape(character: string): string {
  if (character === '\n') return '\\n'
  if (character === '\t') return '\\t'
  if (character === '\r') return '\\r'
  const code = character.charCodeAt(0)
  return code < 0x100
    ? `\\x${code.toString(16).padStart(2, '0')}`
    : `\\u${code.toString(16).padStart(4, '0')}`
}
