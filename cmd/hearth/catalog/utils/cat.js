// Joins lines, which are strings or numbers, into one text.
function main({ lines = [] }) {
  const list = Array.isArray(lines) ? lines : [lines];
  return { lines: list, payload: list.join('\n') };
}
