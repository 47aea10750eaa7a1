// Writes a greeting to its log.
function main({ payload = 'World' }) {
  console.log(`hello ${payload}!`);
  return {};
}
