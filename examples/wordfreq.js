// Word frequencies of a text: {text, top} in, {words, distinct, top} out.
// hearth action create wordfreq examples/wordfreq.js
function main({ text = '', top = 5 }) {
  const words = text.toLowerCase().match(/[a-z']+/g) || [];
  const count = new Map();
  for (const w of words) count.set(w, (count.get(w) || 0) + 1);
  const order = [...count].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  console.log(`node ${process.version} counted ${words.length} words`);
  return { words: words.length, distinct: count.size, top: Object.fromEntries(order.slice(0, top)) };
}
