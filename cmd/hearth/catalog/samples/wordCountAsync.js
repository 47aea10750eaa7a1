// Counts the words of a text, and answers a moment later.
async function main({ payload = '' }) {
  await new Promise((resolve) => setTimeout(resolve, 100));
  return { count: String(payload).split(/\s+/).filter((word) => word !== '').length };
}
