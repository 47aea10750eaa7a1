// Counts the words of a text.
function main({ payload = '' }) {
  const text = String(payload).trim();
  const count = text === '' ? 0 : text.split(/\s+/).length;
  console.log(`The message '${text}' has ${count} words`);
  return { count };
}
