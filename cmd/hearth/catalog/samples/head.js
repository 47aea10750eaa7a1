// Returns the first lines, one unless num says how many.
function main({ lines = [], num = 1 }) {
  return { lines: lines.slice(0, num), num };
}
