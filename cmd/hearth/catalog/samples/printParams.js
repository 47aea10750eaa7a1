// Writes its parameters to its log, sorted by name.
function main(params) {
  const sorted = Object.fromEntries(Object.entries(params).sort(([a], [b]) => (a < b ? -1 : 1)));
  for (const [key, value] of Object.entries(sorted)) {
    console.log('params.' + key + ':', value);
  }
  return { params: sorted };
}
