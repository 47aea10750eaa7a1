// Sorts lines: by number where all of them are numbers, else as text.
function main({ lines = [] }) {
  const numbers = lines.every((line) => typeof line === 'number');
  const sorted = numbers ? [...lines].sort((a, b) => a - b) : [...lines].sort();
  return { lines: sorted, length: sorted.length };
}
