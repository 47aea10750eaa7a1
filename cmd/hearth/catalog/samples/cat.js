// Writes lines one below the other, as cat does.
function main({ lines = [] }) {
  return { lines, payload: lines.map((line) => `${line}\n`).join('') };
}
