// Splits a text at a separator, or else into its lines.
function main({ payload = '', separator = /\r?\n/ }) {
  const text = String(payload);
  return { lines: text.split(separator), payload: text };
}
