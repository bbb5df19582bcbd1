/** Breaks every line of a text at spaces so that none is wider than `width`; continued lines begin with `indent`. */
export const wrapText = (text: string, width = 78, indent = ''): string =>
  text
    .split('\n')
    .map((line) => wrapLine(line, width, indent))
    .join('\n')

const wrapLine = (line: string, width: number, indent: string): string => {
  if (line.length <= width) return line
  const lead = /^ */.exec(line)![0]
  const lines: string[] = []
  let current = lead
  for (const word of line.slice(lead.length).split(' ')) {
    const glue = current.trim() === '' ? '' : ' '
    if (glue !== '' && current.length + 1 + word.length > width) {
      lines.push(current)
      current = indent + word
    } else current += glue + word
  }
  return [...lines, current].join('\n')
}
